import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct TokenScheduleTests {
    private func at(_ second: Int64) -> TokenSchedule.Moment { .init(wall: 1000 + second, now: .seconds(second)) }

    private func schedule(_ renewal: TokenRenewal = .beforeExpiry, expiry: Int64? = 4600, jitter: Double = 0) throws
        -> TokenSchedule
    {
        var schedule = TokenSchedule(renewal)
        schedule.began()
        schedule.ended(.success(try CredentialSamples.token("a", expiry: expiry)), at: at(0), jitter: jitter)
        return schedule
    }

    private let failure = CredentialFailure("no", fix: "try")

    @Test(arguments: [
        (TokenRenewal.beforeExpiry, 0.0, Int64(3540)), (.beforeExpiry, 0.999, 3301), (.halfway, 0, 1800),
        (.halfway, 0.9, 1800),
    ])
    func `A token is replaced before it expires`(renewal: TokenRenewal, jitter: Double, instant: Int64) throws {
        let schedule = try schedule(renewal, jitter: jitter)
        #expect(!schedule.isDue(at: at(instant - 1)))
        #expect(schedule.isDue(at: at(instant)))
        #expect(schedule.usable(at: at(3599)) != nil)
        #expect(schedule.usable(at: at(3600)) == nil)
    }

    @Test(arguments: [0, 1, 2, 30, 119, 120, 121], [0.0, 0.5, 0.99])
    func `A short lived token is not replaced in its first half`(lifetime: Int64, jitter: Double) {
        let instant = TokenRenewal.beforeExpiry.instant(fetchedAt: 100, expiry: 100 + lifetime, jitter: jitter)
        #expect((100 + lifetime / 2...100 + lifetime).contains(instant))
    }

    @Test func `A token that does not say when it ends is kept`() throws {
        let schedule = try schedule(expiry: nil)
        #expect(!schedule.isDue(at: at(1_000_000)))
        #expect(schedule.usable(at: at(1_000_000)) != nil)
    }

    @Test func `A failure keeps the old token and is retried with growing pauses`() throws {
        var schedule = try schedule()
        var now: Int64 = 3540
        for pause: Int64 in [1, 2, 4, 8, 16] {
            #expect(schedule.isDue(at: at(now)))
            schedule.began()
            #expect(!schedule.isDue(at: at(now)))
            schedule.ended(.failure(failure), at: at(now), jitter: 0.5)
            #expect(!schedule.isDue(at: .init(wall: 1000 + now, now: .seconds(now + pause) - .milliseconds(1))))
            now += pause
            #expect(schedule.failure == failure)
            #expect((schedule.usable(at: at(now)) != nil) == (now < 3600))
        }
        schedule.began()
        schedule.ended(.success(try CredentialSamples.token("b", expiry: 9999)), at: at(now), jitter: 0)
        #expect(schedule.failure == nil)
        #expect(!schedule.isDue(at: at(now)))
    }

    @Test func `The pause has a bound`() {
        var schedule = TokenSchedule(.halfway)
        var now: Int64 = 0
        for _ in 0..<100 {
            schedule.began()
            schedule.ended(.failure(failure), at: at(now), jitter: 0.99)
            now += 75
            #expect(schedule.isDue(at: at(now)))
        }
    }

    @Test func `A token that has expired already is a failure`() {
        var schedule = TokenSchedule(.beforeExpiry)
        schedule.began()
        schedule.ended(Result { () throws(CredentialFailure) in try token(expiry: 999) }, at: at(0), jitter: 0)
        #expect(schedule.token == nil)
        #expect(schedule.failure?.message == "the new token is already expired")
    }

    private func token(expiry: Int64) throws(CredentialFailure) -> SessionToken {
        try SessionToken(
            CredentialSamples.jwt(#"{"exp":\#(expiry)}"#), key: try CredentialSamples.key.get(), source: "the test")
    }

    @Test func `A change makes it due at once whatever the pause`() throws {
        var schedule = try schedule()
        schedule.noteChange()
        #expect(schedule.isDue(at: at(1)))
        schedule.began()
        schedule.ended(.failure(failure), at: at(1), jitter: 0)
        schedule.noteChange()
        #expect(!schedule.isDue(at: at(1)))
    }

    @Test func `Refusals force a fetch once in a while only`() throws {
        var schedule = try schedule()
        let verdicts = [1, 30, 31].map { schedule.force(at: at($0)) }
        #expect(verdicts == [true, false, true])
    }
}
