import ProxyTestSupport
import Synchronization
import Testing

@testable import Proxy

@Suite(.timeLimit(.minutes(5))) struct TokenCacheTests {
    /// A source that a test plays: each fetch waits until the test answers it.
    private final class PlayedSource: TokenSource {
        let renewal = TokenRenewal.beforeExpiry
        private let (fetches, begun) = AsyncStream<CheckedContinuation<SessionToken, any Error>>.makeStream()
        private let state = Mutex((count: 0, changed: false))

        var count: Int { state.withLock { $0.count } }
        func change() { state.withLock { $0.changed = true } }

        func fetch(at now: Int64) async throws -> SessionToken {
            state.withLock {
                $0.count += 1
                $0.changed = false
            }
            return try await withCheckedThrowingContinuation { begun.yield($0) }
        }

        func hasChanged(since token: SessionToken) -> Bool { state.withLock { $0.changed } }

        /// Waits for the next fetch to begin, and answers it.
        func answer(_ name: String, expiry: Int64?) async throws {
            for await fetch in fetches {
                fetch.resume(returning: try CredentialSamples.token(name, expiry: expiry))
                return
            }
        }

        func fail(_ message: String) async {
            for await fetch in fetches {
                fetch.resume(throwing: CredentialFailure(message, fix: "m"))
                return
            }
        }
    }

    private static let start: Int64 = 1000
    private let time = ManualTime(wallClock: start)
    private let source = PlayedSource()

    private func cache() -> TokenCache {
        TokenCache(account: "a", source: source, time: time.source, random: { 0 }, logger: .silent)
    }

    private func keyID(_ name: String, expiry: Int64?) throws -> String {
        try CredentialSamples.token(name, expiry: expiry).signer.keyID
    }

    /// Returns once the cache hands out that token.
    private func use(_ cache: TokenCache, until keyID: String) async throws {
        while try await cache.signer().keyID != keyID { await Task.yield() }
    }

    /// Returns once the fetch that was answered is over.
    private func settle(_ cache: TokenCache) async {
        while await cache.isFetching { await Task.yield() }
    }

    private func authorization(_ signer: RequestSigner) throws -> String {
        let headers = try signer.sign(method: "GET", authority: "h", target: "/", date: 0, body: nil)
        return try #require(headers.last).value
    }

    @Test func `Many requests share one fetch`() async throws {
        let cache = cache()
        try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<50 { group.addTask { try await cache.signer().keyID } }
            try await source.answer("first", expiry: Self.start + 3600)
            let expected = try keyID("first", expiry: Self.start + 3600)
            for try await keyID in group { #expect(keyID == expected) }
        }
        #expect(source.count == 1)
    }

    @Test func `Nobody waits while the old token is valid`() async throws {
        let cache = cache()
        async let first = cache.signer()
        try await source.answer("old", expiry: Self.start + 3600)
        let old = try await first.keyID
        time.advance(by: .seconds(3539))
        #expect(try await cache.signer().keyID == old)
        #expect(source.count == 1)
        time.advance(by: .seconds(1))
        // The fetch has begun and is not answered yet.
        for _ in 0..<10 { #expect(try await cache.signer().keyID == old) }
        try await source.answer("new", expiry: Self.start + 7200)
        try await use(cache, until: try keyID("new", expiry: Self.start + 7200))
        #expect(source.count == 2)
    }

    @Test func `A failure keeps the old token until it expires`() async throws {
        let cache = cache()
        async let first = cache.signer()
        try await source.answer("old", expiry: Self.start + 3600)
        let old = try await first.keyID
        time.advance(by: .seconds(3550))
        #expect(try await cache.signer().keyID == old)
        await source.fail("the service is down")
        await settle(cache)
        #expect(try await cache.signer().keyID == old)
        time.advance(by: .seconds(50))
        // Expired: now requests wait for the fetch, and get its failure.
        let waiting = Task { try await cache.signer().keyID }
        await source.fail("still down")
        await #expect(throws: CredentialFailure("still down", fix: "m")) { try await waiting.value }
        // In the pause after a failure they fail at once.
        let count = source.count
        await #expect(throws: CredentialFailure("still down", fix: "m")) { try await cache.signer() }
        #expect(source.count == count)
        time.advance(by: .seconds(10))
        let recovered = Task { try await cache.signer().keyID }
        try await source.answer("new", expiry: Self.start + 7200)
        #expect(try await recovered.value == keyID("new", expiry: Self.start + 7200))
    }

    @Test func `A refused token is replaced once for all who used it`() async throws {
        let cache = cache()
        async let first = cache.signer()
        try await source.answer("old", expiry: Self.start + 3600)
        let refused = try authorization(try await first)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<20 { group.addTask { try await cache.renew(after: refused) } }
            try await source.answer("new", expiry: Self.start + 3600)
            for try await mayTryAgain in group { #expect(mayTryAgain) }
        }
        #expect(source.count == 2)
        // Whoever comes late with the old one finds the new one in place.
        #expect(try await cache.renew(after: refused))
        #expect(source.count == 2)
        // A new one that is refused as well is not replaced again and again.
        let again = try authorization(try await cache.signer())
        #expect(try await !cache.renew(after: again))
        #expect(source.count == 2)
        time.advance(by: .seconds(30))
        async let late = cache.renew(after: again)
        // The same token once more: trying again would be in vain.
        try await source.answer("new", expiry: Self.start + 3600)
        #expect(try await !late)
    }

    @Test func `A refusal is no reason to give up a valid token when no other comes`() async throws {
        let cache = cache()
        async let first = cache.signer()
        try await source.answer("old", expiry: Self.start + 3600)
        let old = try await first
        async let renewed = cache.renew(after: try authorization(old))
        await source.fail("down")
        #expect(try await !renewed)
        #expect(try await cache.signer().keyID == old.keyID)
    }

    @Test func `A change of the file is seen within a second`() async throws {
        let cache = cache()
        async let first = cache.signer()
        try await source.answer("old", expiry: nil)
        let old = try await first.keyID
        source.change()
        time.advance(by: .seconds(1))
        #expect(try await cache.signer().keyID == old)
        try await source.answer("new", expiry: nil)
        try await use(cache, until: try keyID("new", expiry: nil))
    }

    @Test func `Whoever leaves waits no longer and the fetch goes on`() async throws {
        let cache = cache()
        let leaving = Task { try await cache.signer().keyID }
        let staying = Task { try await cache.signer().keyID }
        while source.count == 0 { await Task.yield() }
        leaving.cancel()
        await #expect(throws: CancellationError.self) { try await leaving.value }
        try await source.answer("first", expiry: nil)
        #expect(try await staying.value == keyID("first", expiry: nil))
        #expect(source.count == 1)
    }
}
