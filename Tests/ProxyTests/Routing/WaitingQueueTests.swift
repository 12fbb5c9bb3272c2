import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct WaitingQueueTests {
    private func request(_ number: UInt64, _ client: String, model: String = "m", accepts: [Int] = [0]) -> RouteRequest
    {
        RouteRequest(
            ticket: .init(rawValue: number), terms: .init(accepts: UpstreamSet(accepts), model: model),
            deadline: .seconds(300), client: client)
    }

    private func queue(_ requests: [RouteRequest]) -> WaitingQueue {
        var queue = WaitingQueue()
        for request in requests { queue.append(request, latestStart: .seconds(300), at: .zero) }
        return queue
    }

    /// Serves all, one after the other, and says whose they were.
    private func order(_ queue: WaitingQueue) -> [String] {
        var queue = queue
        var clients: [String] = []
        while let head = queue.heads.first, queue.serve(head.ticket) != nil { clients.append(head.client) }
        return clients
    }

    @Test func `Clients are served in rounds`() {
        let many = (1...5).map { request($0, "a") }
        #expect(
            order(queue(many + [request(6, "b"), request(7, "b"), request(8, "c")])) == [
                "a", "b", "c", "a", "b", "a", "a", "a",
            ])
    }

    @Test func `Who comes later is in the present round`() {
        var queue = queue((1...100).map { request($0, "a") })
        for number in 1...50 as ClosedRange<UInt64> { _ = queue.serve(.init(rawValue: number)) }
        queue.append(request(200, "b"), latestStart: .seconds(300), at: .zero)
        #expect(queue.heads.first?.client == "b")
        #expect(queue.placesBefore(request(201, "c")) == 2, "one of each before it")
        #expect(queue.placesBefore(request(201, "a")) == 51)
    }

    @Test func `Rounds go over models`() {
        let requests = (1...4).map { request($0, "a", model: "m\($0)") } + [request(5, "b", model: "m1")]
        #expect(order(queue(requests)) == ["a", "b", "a", "a", "a"])
    }

    @Test func `Who leaves takes nobody's turn`() {
        var queue = queue((1...100).map { request($0, "a") } + [request(101, "b")])
        for number in 1...99 as ClosedRange<UInt64> { queue.remove(.init(rawValue: number)) }
        queue.append(request(102, "a"), latestStart: .seconds(300), at: .zero)
        #expect(order(queue) == ["a", "b", "a"])
    }

    @Test func `A full queue takes the place of who has most`() {
        let queue = queue((1...9).map { request($0, "a") } + [request(10, "b")])
        #expect(queue.crowder(for: request(11, "b"))?.rawValue == 9)
        #expect(queue.crowder(for: request(11, "c"))?.rawValue == 9)
        #expect(queue.crowder(for: request(11, "a")) == nil)
    }

    @Test func `Among one client's models the longest row gives way`() {
        let queue = queue((1...9).map { request($0, "a", model: "busy") })
        #expect(queue.crowder(for: request(11, "a", model: "other", accepts: [1]))?.rawValue == 9)
        #expect(queue.crowder(for: request(11, "a", model: "busy")) == nil)
    }

    @Test func `Only those for the same upstreams are in the way`() {
        let queue = queue((1...9).map { request($0, "a", accepts: [0]) })
        #expect(
            queue.placesBefore(request(10, "b", accepts: [1])) == 0
                && queue.placesBefore(request(10, "a", accepts: [0, 1])) == 9)
    }

    /// Against a model: each is served once, each client in order, and no client waits for more than one of each other per turn.
    @Test(arguments: 0..<30 as Range<UInt64>)
    func `A random walk is fair`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var queue = WaitingQueue()
        var waiting: [UInt64: String] = [:]
        var served: [String: Int] = [:]
        var number: UInt64 = 0
        for _ in 0..<500 {
            switch Int.random(in: 0..<5, using: &random) {
            case 0..<3:
                number += 1
                let client = ["a", "a", "a", "b", "c"].randomElement(using: &random) ?? "a"
                queue.append(
                    request(number, client, model: "m\(Int.random(in: 0..<3, using: &random))"),
                    latestStart: .seconds(300), at: .zero)
                waiting[number] = client
            case 3:
                guard let head = queue.heads.first else { continue }
                #expect(queue.serve(head.ticket)?.request.client == waiting[head.ticket.rawValue])
                waiting[head.ticket.rawValue] = nil
                served[head.client, default: 0] += 1
                // Nobody of the same client and model came earlier.
                #expect(
                    !queue.heads.contains {
                        $0.client == head.client && $0.terms == head.terms && $0.ticket < head.ticket
                    })
            default:
                guard let gone = waiting.keys.sorted().randomElement(using: &random) else { continue }
                queue.remove(.init(rawValue: gone))
                waiting[gone] = nil
            }
            #expect(queue.count == waiting.count && queue.isEmpty == waiting.isEmpty)
        }
        // From here on nobody comes: as long as all of them wait, their turns are the same but for the present round.
        var left = Dictionary(grouping: waiting.values) { $0 }.mapValues(\.count)
        var turns = left.mapValues { _ in 0 }
        while left.values.allSatisfy({ $0 > 0 }), let head = queue.heads.first {
            _ = queue.serve(head.ticket)
            turns[head.client, default: 0] += 1
            left[head.client, default: 0] -= 1
            #expect((turns.values.max() ?? 0) - (turns.values.min() ?? 0) <= 2)
        }
    }
}
