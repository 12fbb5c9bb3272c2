import Testing

@testable import Proxy

@Suite struct SharedStateAddressTests {
    @Test(
        arguments: [
            ("redis://engine", "redis://engine:6379", "", nil, 0),
            ("redis://engine:7000/3", "redis://engine:7000/3", "", nil, 3),
            ("redis://:pass@10.0.0.1", "redis://10.0.0.1:6379", "", "pass", 0),
            ("redis://:p%40ss%3a@engine/", "redis://engine:6379", "", "p@ss:", 0),
            ("redis://:p@ss@engine", "redis://engine:6379", "", "p@ss", 0),
            ("rediss://proxy:pass@engine.example:6380/1", "rediss://engine.example:6380/1", "proxy", "pass", 1),
            ("redis://[::1]:6379", "redis://[::1]:6379", "", nil, 0),
            ("unix:///run/redis.sock", "unix:///run/redis.sock", "", nil, 0),
            ("unix://:pass@/run/redis.sock?db=2", "unix:///run/redis.sock?db=2", "", "pass", 2),
            ("REDIS://engine", "redis://engine:6379", "", nil, 0),
        ] as [(String, String, String, String?, Int)])
    func `It is read, and shown without a secret`(
        text: String, shown: String, user: String, password: String?, database: Int
    ) throws {
        let address = try #require(SharedStateAddress(text))
        #expect("\(address)" == shown)
        #expect(address.user == user && address.password?.reveal() == password && address.database == database)
    }

    @Test(arguments: [
        "", "engine", "http://engine", "redis://", "redis://engine:0", "redis://engine:70000", "redis://engine/x",
        "redis://engine/-1", "redis://engine/65536", "redis://user@engine", "redis://user:@engine", "redis://::1",
        "redis://eng ine", "unix://run/redis.sock", "unix://", "unix:///run/redis.sock?x=1",
        "unix:///\(String(repeating: "a", count: 200))", "redis://:%ff@engine",
    ])
    func `What is none is refused`(text: String) { #expect(SharedStateAddress(text) == nil) }
}
