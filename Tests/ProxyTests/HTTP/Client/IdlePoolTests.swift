import NIOCore
import Testing

@testable import Proxy

@Suite("Kept connections")
struct IdlePoolTests {
    private final class Connection {}

    private let origin = Origin(isTLS: false, host: "a", port: 80)
    private let start = NIODeadline.uptimeNanoseconds(1_000)

    @Test func `The newest serves first, each once`() {
        var pool = IdlePool<Connection>(idleTimeout: .seconds(10))
        let (one, two) = (Connection(), Connection())
        #expect(pool.park(one, to: origin, at: start, mayGrow: true) == .kept)
        #expect(pool.park(two, to: origin, at: start, mayGrow: true) == .kept)
        #expect(pool.take(origin, at: start) === two)
        #expect(pool.take(origin, at: start) === one)
        #expect(pool.take(origin, at: start) == nil)
    }

    @Test func `One origin's are not another's`() {
        var pool = IdlePool<Connection>(idleTimeout: .seconds(10))
        _ = pool.park(Connection(), to: origin, at: start, mayGrow: true)
        for other in [
            Origin(isTLS: true, host: "a", port: 80), Origin(isTLS: false, host: "b", port: 80),
            Origin(isTLS: false, host: "a", port: 81),
        ] {
            #expect(pool.take(other, at: start) == nil)
        }
    }

    @Test func `Where no more are allowed the oldest goes, and where none is there the new one`() {
        var pool = IdlePool<Connection>(idleTimeout: .seconds(10))
        let (one, two) = (Connection(), Connection())
        #expect(pool.park(one, to: origin, at: start, mayGrow: false) == .refused)
        _ = pool.park(one, to: origin, at: start, mayGrow: true)
        #expect(pool.park(two, to: origin, at: start, mayGrow: false) == .keptInsteadOf(one))
        #expect(pool.take(origin, at: start) === two)
        #expect(pool.count == 0)
    }

    @Test func `Those whose time is up do not serve, and expire in their order`() {
        var pool = IdlePool<Connection>(idleTimeout: .seconds(10))
        let (one, two) = (Connection(), Connection())
        #expect(pool.nextExpiry == nil)
        _ = pool.park(one, to: origin, at: start, mayGrow: true)
        _ = pool.park(two, to: origin, at: start + .seconds(5), mayGrow: true)
        #expect(pool.nextExpiry == start + .seconds(10))
        let early = pool.expire(at: start + .seconds(9))
        #expect(early.isEmpty)
        let first = pool.expire(at: start + .seconds(10))
        #expect(first.count == 1 && first.first === one)
        #expect(pool.nextExpiry == start + .seconds(15))
        #expect(pool.take(origin, at: start + .seconds(15)) == nil)
        let second = pool.expire(at: start + .seconds(15))
        #expect(second.count == 1 && second.first === two)
        #expect(pool.nextExpiry == nil)
    }

    @Test func `One that has been closed is taken out`() {
        var pool = IdlePool<Connection>(idleTimeout: .seconds(10))
        let (one, two) = (Connection(), Connection())
        _ = pool.park(one, to: origin, at: start, mayGrow: true)
        #expect(pool.remove(two, to: origin) == false)
        #expect(pool.remove(one, to: origin) == true)
        #expect(pool.remove(one, to: origin) == false)
        #expect(pool.take(origin, at: start) == nil)
    }

    @Test func `Without a time to be kept none is`() {
        var pool = IdlePool<Connection>(idleTimeout: .zero)
        #expect(pool.park(Connection(), to: origin, at: start, mayGrow: true) == .refused)
    }

    @Test func `A quota is one for all who share it`() {
        let quotas = IdleQuotas(limit: 2)
        #expect(quotas.quota(of: origin).take())
        #expect(quotas.quota(of: origin).take())
        #expect(!quotas.quota(of: origin).take())
        quotas.quota(of: origin).giveBack()
        #expect(quotas.quota(of: origin).take())
        #expect(quotas.quota(of: Origin(isTLS: true, host: "b", port: 443)).take())
    }
}
