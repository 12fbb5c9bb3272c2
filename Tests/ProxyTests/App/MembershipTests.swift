import NIOCore
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// Who of a new configuration was there before.
@Suite struct MembershipTests {
    private static let options = NIOTransport.Options()

    private func provider(_ name: String, _ token: String, models: [String]? = nil, line: Int = 1) throws
        -> ProviderSettings
    {
        ProviderSettings(
            id: name, name: name, baseURL: try #require(BaseURL("http://127.0.0.1:9/v1")), token: Secret(token),
            models: models, maxConcurrency: 10, line: line)
    }

    private func candidates(_ providers: [ProviderSettings], options: NIOTransport.Options = options) -> [Membership
        .Candidate]
    {
        var providers = providers
        ProviderSettings.assignIDs(&providers)
        return providers.map { provider in
            Membership.Candidate(
                identity: UpstreamIdentity(provider, over: options), id: provider.id,
                settings: .init(maxConcurrency: provider.maxConcurrency),
                backend: { id in
                    var provider = provider
                    provider.id = id
                    return Provider(
                        provider, transport: FakeTransport(status: 500, body: ""), time: ManualTime().source)
                })
        }
    }

    /// The upstreams after one configuration has followed the other, as `id@place`.
    private func ids(_ first: [ProviderSettings], then second: [Membership.Candidate]) async -> [String] {
        let router = Router(
            [], limits: .init(concurrency: 1, queue: 0), strategy: RoundRobin(), time: ManualTime().source,
            logger: .silent)
        let before = candidates(first)
        let upstreams = await router.reconfigure(
            Membership.match(before, with: []), limits: .init(concurrency: 9, queue: 9), strategy: RoundRobin())
        let served = zip(before, upstreams).map { Membership.Served(identity: $0.identity, upstream: $1) }
        let after = await router.reconfigure(
            Membership.match(second, with: served), limits: .init(concurrency: 9, queue: 9), strategy: RoundRobin())
        return after.map { "\($0.id)@\($0.index)" }
    }

    @Test func `Who is unchanged keeps its place in whatever order`() async throws {
        let (a, b) = (try provider("a", "1"), try provider("b", "2"))
        #expect(await ids([a, b], then: candidates([b, a])) == ["b@1", "a@0"])
        // Another line, another share: still the same.
        var moved = try provider("a", "1", line: 70)
        moved.maxConcurrency = 99
        #expect(await ids([a, b], then: candidates([moved])) == ["a@0"])
    }

    @Test func `Another token list or trust makes another upstream`() async throws {
        let a = try provider("a", "1")
        #expect(await ids([a], then: candidates([try provider("a", "2")])) == ["a@1"])
        #expect(await ids([a], then: candidates([try provider("a", "1", models: ["m"])])) == ["a@1"])
        #expect(await ids([a], then: candidates([a], options: .init(idleTimeout: .seconds(1)))) == ["a@1"])
    }

    @Test func `A pool that grows or turns keeps IDs unique`() async throws {
        let (one, two, three) = (try provider("p", "1"), try provider("p", "2"), try provider("p", "3"))
        #expect(await ids([one], then: candidates([one, two])) == ["p@0", "p-2@1"])
        // The new first of the pool would be p-1 by its place, but that is somebody's already.
        #expect(await ids([one, two], then: candidates([three, one])) == ["p-1-2@2", "p-1@0"])
        // One entry twice is two upstreams.
        #expect(await ids([one, one], then: candidates([one, one, one])) == ["p-1@0", "p-2@1", "p-3@2"])
    }

    @Test func `An account is the same whatever its line and share`() throws {
        let account = AccountSettings(
            id: "a", line: 3,
            credentials: .apiKey(
                APIKeyIdentity(
                    user: "u", tenancy: "t", fingerprint: "f", keyFile: "k", keyFileLine: 4, fingerprintLine: 5)),
            compartment: "c", region: "r", endpoint: BaseURL(https: "x"), managementEndpoint: BaseURL(https: "y"),
            weight: 2, maxConcurrency: 7)
        var other = account
        (other.line, other.weight, other.maxConcurrency) = (9, 1, 50)
        other.credentials = .apiKey(
            APIKeyIdentity(
                user: "u", tenancy: "t", fingerprint: "f", keyFile: "k", keyFileLine: 40, fingerprintLine: 50))
        let identity = UpstreamIdentity(account, over: Self.options)
        #expect(identity == UpstreamIdentity(other, over: Self.options))
        other.credentials = .apiKey(APIKeyIdentity(user: "u", tenancy: "t", fingerprint: "g", keyFile: "k"))
        #expect(identity != UpstreamIdentity(other, over: Self.options))
        other = account
        other.endpoint = BaseURL(https: "z")
        #expect(identity != UpstreamIdentity(other, over: Self.options))
    }
}
