import Testing

@testable import ProxyCluster

@Suite struct ExchangeTests {
    @Test func `All keys of a cluster have one hash tag`() throws {
        let keys = try #require(ExchangeKeys(cluster: "prod"))
        #expect(
            keys.declared == [
                "{ociai:prod}:1:leases", "{ociai:prod}:1:news", "{ociai:prod}:1:order", "{ociai:prod}:1:expiry",
            ])
        #expect(keys.meterPrefix == "{ociai:prod}:1:w:" && keys.channel == "{ociai:prod}:1:news")
    }

    @Test(arguments: ["", "a b", "a}b", "a{b", "a:b", "ä", String(repeating: "x", count: 65)])
    func `A name that could leave the hash tag is refused`(name: String) { #expect(ExchangeKeys(cluster: name) == nil) }

    private let request = {
        var request = ExchangeRequest(instance: "a", number: 1, lease: 5_000, isLeased: false)
        request.permits = [ExchangeRequest.Permits(name: "o", limit: 5, capacity: 0, inFlight: 0, want: 1)]
        return request
    }()

    private func answer(_ change: (inout [RESP]) -> Void = { _ in }) -> RESP {
        var parts: [RESP] = (0...7).map { .integer($0) }
        parts += [.array([.integer(3), .integer(2)]), .array([]), .array([.string([1])])]
        change(&parts)
        return .array(parts)
    }

    @Test func `An answer is read`() {
        #expect(
            ExchangeReply.read(answer(), to: request)
                == .reply(
                    ExchangeReply(
                        now: 1, began: 2, learningFor: 3, members: 4, board: 5, since: 6, hasMoreNews: true,
                        shares: [ExchangeReply.Share(share: 3, elsewhere: 2)], blocks: [], news: [[1]])))
        #expect(ExchangeReply.read(.array([.integer(1)]), to: request) == .overtaken)
    }

    @Test func `What is no answer to the request is not used`() {
        for answer in [
            RESP.null, .integer(0), .error(Array("ERR".utf8)), .array([]), .array([.integer(0)]),
            answer { $0[8] = .array([]) }, answer { $0[8] = .array([.integer(3)]) },
            answer { $0[8] = .array([.integer(3), .null]) },
            answer { $0[8] = .array([.integer(-1), .integer(0)]) },
            answer { $0[8] = .array([.integer(1 << 40), .integer(0)]) },
            answer { $0[9] = .array([.integer(1), .integer(1), .integer(1), .integer(1)]) },
            answer { $0[1] = .integer(-1) },
            answer { $0[2] = .null }, answer { $0[10] = .null }, answer { $0.append(.null) },
            answer { $0.removeLast() },
        ] {
            #expect(ExchangeReply.read(answer, to: request) == .malformed)
        }
    }
}
