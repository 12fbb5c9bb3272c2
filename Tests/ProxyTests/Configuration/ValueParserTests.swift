import ProxyTestSupport
import Testing

@testable import Proxy

@Suite struct GoDurationTests {
    @Test(
        arguments: [
            ("30s", .seconds(30)), ("1m30s", .seconds(90)), ("500ms", .milliseconds(500)), ("1.5h", .seconds(5400)),
            ("0", .zero), ("0s", .zero), ("45", .seconds(45)), ("0.25", .milliseconds(250)),
            (".5s", .milliseconds(500)),
            ("1h2m3s4ms5us6ns", .nanoseconds(3_723_004_005_006)), ("7µs", .microseconds(7)),
            ("7μs", .microseconds(7)),
            ("1.3333333333333333333s", .nanoseconds(1_333_333_333)),
        ] as [(String, Duration)])
    func `Reads`(text: String, duration: Duration) {
        #expect(GoDuration.parse(text) == duration)
    }

    @Test(arguments: [
        "", "s", "-1s", "+1s", "1 s", "1x", "1m30", "30s5", "1..5s", "1.2.3s", ".", "1S", "1d", "0x1s", "1e3s",
        "9999999999999s", "999999999999h", "∞", "NaN", "0s5",
    ])
    func `Refuses`(text: String) {
        #expect(GoDuration.parse(text) == nil)
    }

    @Test(
        arguments: [
            (.zero, "0s"), (.seconds(90), "1m30s"), (.milliseconds(1500), "1s500ms"), (.microseconds(3), "3us"),
            (.seconds(3600), "1h"), (.nanoseconds(1_000_001), "1000001ns"),
        ] as [(Duration, String)])
    func `Writes`(duration: Duration, text: String) {
        #expect(GoDuration.format(duration) == text)
    }

    @Test(arguments: 0..<10)
    func `What it writes it reads`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for _ in 0..<200 {
            let duration = Duration.nanoseconds(Int64.random(in: 0...1_000_000_000_000_000, using: &random))
            #expect(GoDuration.parse(GoDuration.format(duration)) == duration)
        }
    }
}

@Suite struct ByteSizeTests {
    @Test(arguments: [
        ("1048576", 1_048_576), ("32 MiB", 32 << 20), ("32MiB", 32 << 20), ("10MB", 10_000_000), ("10 mb", 10_000_000),
        ("512k", 512 << 10), ("8m", 8 << 20), ("1g", 1 << 30), ("1kB", 1000), ("1.5 KiB", 1536), ("0", 0), ("7 B", 7),
    ])
    func `Reads`(text: String, bytes: Int) {
        #expect(ByteSize.parse(text) == bytes)
    }

    @Test(arguments: ["", "MiB", "-1", "1 TiB", "1 M B", "1,5 MB", "999999999999 GiB", "0x10"])
    func `Refuses`(text: String) {
        #expect(ByteSize.parse(text) == nil)
    }

    @Test func `Writes the largest unit without a fraction`() {
        #expect(
            [32 << 20, 1000, 1536, 1 << 30, 3 << 10].map(ByteSize.format) == [
                "32 MiB", "1000 B", "1536 B", "1 GiB", "3 KiB",
            ])
    }
}

@Suite struct BaseURLTests {
    @Test(arguments: [
        ("https://example.com", "https://example.com", 443),
        ("HTTP://Example.COM/", "http://example.com", 80),
        ("http://127.0.0.1:8080/v1//", "http://127.0.0.1:8080/v1", 8080),
        ("https://[::1]:9/x", "https://[::1]:9/x", 9),
        ("http://[fd00::1]", "http://[fd00::1]", 80),
    ])
    func `Reads`(text: String, normal: String, port: Int) throws {
        let url = try #require(BaseURL(text))
        #expect(url.description == normal)
        #expect(url.port == port)
    }

    @Test(arguments: [
        "", "example.com", "ftp://example.com", "https://", "https:///x", "https://a b", "https://me:pw@host",
        "https://host?x=1", "https://host#x", "https://host:0", "https://host:65536", "https://host:", "https://[::1",
        "https://[zz]", "https://[1.2.3.4]", "https://1.2.3", "https://host\r\nx: y", "https://-x", "https://hö.de",
    ])
    func `Refuses`(text: String) {
        #expect(BaseURL(text) == nil)
    }

    @Test func `Knows loopback`() throws {
        for text in ["http://localhost:1", "http://127.9.9.9", "http://[::1]"] {
            #expect(try #require(BaseURL(text)).isLoopback)
        }
        #expect(try !#require(BaseURL("http://127.example.com")).isLoopback)
    }
}

@Suite struct HostNameTests {
    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "0.0.0.0"), ("::", "::"), ("[::1]", "::1"), ("localhost", "localhost"),
        ("fe80::1%eth0", "fe80::1%eth0"), ("::ffff:1.2.3.4", "::ffff:1.2.3.4"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
        ("my-host.lan", "my-host.lan"),
    ])
    func `Accepts an address to listen on`(text: String, host: String) {
        #expect(HostName.listenAddress(text) == host)
    }

    @Test(arguments: [
        "", "256.1.1.1", "1.2.3", "01.2.3.4", "a..b", "-a", "a b", "localhost:80", "http://x", ":::", "1::2::3",
        "1:2:3:4:5:6:7", "1:2:3:4:5:6:7::8", "12345::", "[127.0.0.1]", "::1%", "[]", "*",
    ])
    func `Refuses`(text: String) {
        #expect(HostName.listenAddress(text) == nil)
    }
}

@Suite struct SecretTests {
    @Test func `Never shows itself`() {
        let secret = Secret("hunter2")
        struct Holder {
            let secret: Secret
            let all: [Secret]
            let maybe: Secret?
        }
        var dumped = ""
        dump(Holder(secret: secret, all: [secret], maybe: secret), to: &dumped)
        let texts = [
            "\(secret)", String(reflecting: secret), String(describing: Optional(secret)), dumped,
            "\(Mirror(reflecting: secret).children.map { "\($0)" })",
        ]
        for text in texts { #expect(!text.contains("hunter2")) }
        #expect("\(secret)" == "***")
        #expect(secret.reveal() == "hunter2")
    }
}

@Suite struct NearestNameTests {
    @Test(arguments: [
        ("prot", "port"), ("regoin", "region"), ("Key-File", "key_file"), ("log_levl", "log_level"),
        ("globl_max_concurrency", "global_max_concurrency"), ("requesttimeout", "request_timeout"),
    ])
    func `Finds what was meant`(name: String, meant: String) {
        let all = SettingsTable.global.map(\.name) + SettingsTable.account.map(\.name)
        #expect(NearestName.of(name, among: all) == meant)
    }

    @Test(arguments: ["zzzzzzzz", "", "x"])
    func `Suggests nothing far fetched`(name: String) {
        #expect(NearestName.of(name, among: SettingsTable.global.map(\.name)) == nil)
    }

    @Test(arguments: [("", "abc", 3), ("abc", "abc", 0), ("ab", "ba", 1), ("kitten", "sitting", 3), ("a", "", 1)])
    func `Counts edits`(left: String, right: String, distance: Int) {
        #expect(NearestName.distance(left, right) == distance)
        #expect(NearestName.distance(right, left) == distance)
    }
}

@Suite struct RegionTableTests {
    @Test func `Holds all regions once`() {
        #expect(RegionTable.all.count == 85)
        #expect(Set(RegionTable.all.map(\.id)).count == 85)
        #expect(Set(RegionTable.all.map(\.key)).count == 85)
        #expect(RegionTable.all.allSatisfy { $0.key.count == 3 && RegionTable.isWellFormed($0.id) })
        #expect(Set(RegionTable.all.map(\.realmDomain)).count == 19)
    }

    @Test(arguments: [
        ("us-chicago-1", "us-chicago-1.oci.oraclecloud.com"), ("ORD", "us-chicago-1.oci.oraclecloud.com"),
        ("ltn", "uk-gov-london-1.oci.oraclegovcloud.uk"), ("eu-frankfurt-2", "eu-frankfurt-2.oci.oraclecloud.eu"),
        ("us-langley-1", "us-langley-1.oci.oraclegovcloud.com"), ("HNW", "sa-riodejaneiro-1.oci.oraclecloud52.com"),
        ("xx-nowhere-1", "xx-nowhere-1.oci.oraclecloud.com"),
    ])
    func `Names the hosts`(region: String, host: String) {
        #expect(RegionTable.inferenceEndpoint(region).description == "https://inference.generativeai.\(host)")
        #expect(RegionTable.managementEndpoint(region).description == "https://generativeai.\(host)")
    }
}
