import Foundation
import OCISimulator
import Testing

/// A client that leaves takes its upstream call with it, wherever the call stands.
@Suite struct DisconnectTests {
    enum Window: String, CaseIterable, Sendable {
        case beforeTheUpstreamAnswers, beforeTheFirstEvent, inMidStream

        var fault: Fault {
            switch self {
            case .beforeTheUpstreamAnswers: Fault(.stall, kind: .chat, times: nil)
            case .beforeTheFirstEvent: Fault(.delayFirstEvent(.seconds(60)), kind: .chat, times: nil)
            case .inMidStream: Fault(.stallMidway(afterEvents: 2), kind: .chat, times: nil)
            }
        }
    }

    /// How a client goes.
    enum Leaving: String, CaseIterable, Sendable { case close, finishSending }

    @Test(arguments: Window.allCases, Leaving.allCases)
    func `A streams upstream call ends with its client`(window: Window, leaving: Leaving) async throws {
        try await expectCancellation(window, leaving, streams: true)
    }

    @Test(arguments: [Window.beforeTheUpstreamAnswers, .inMidStream], Leaving.allCases)
    func `A whole answers upstream call ends with its client`(window: Window, leaving: Leaving) async throws {
        try await expectCancellation(window, leaving, streams: false)
    }

    private func expectCancellation(_ window: Window, _ leaving: Leaving, streams: Bool) async throws {
        try await RunningProxy.run { proxy in
            proxy.simulator.add(window.fault)
            var delays: [Duration] = []
            var last = 0
            // The best of some: the limit is about the proxy, not about what else this machine is doing.
            for _ in 0..<5 {
                let connection = try await proxy.connect()
                connection.send(proxy.chatRequest(RunningProxy.body(streams: streams)))
                let after = last
                let request = try await proxy.simulator.request(after: after) { $0.kind == .chat }
                last = request.id
                switch window {
                case .beforeTheUpstreamAnswers: break
                case .beforeTheFirstEvent:
                    _ = try await proxy.simulator.request(after: after) { $0.id == request.id && $0.status != nil }
                case .inMidStream:
                    if streams {
                        try await connection.received(#""content":"#)
                    } else {
                        _ = try await proxy.simulator.request(after: after) { $0.id == request.id && $0.status != nil }
                    }
                }
                let left = ContinuousClock.now
                switch leaving {
                case .close: connection.close()
                case .finishSending: connection.finishSending()
                }
                let ended = try await proxy.simulator.ended(request.id)
                #expect(ended.ending == .clientClosed)
                delays.append(try #require(ended.ended) - left)
                connection.close()
            }
            #expect(try #require(delays.min()) < .milliseconds(100), "\(delays)")
            try await proxy.logged("status=499")
        }
    }
}
