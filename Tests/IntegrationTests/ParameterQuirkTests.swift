import OCISimulator
import Testing

/// A model that refuses a parameter by name gets the request again without it, and no other request has to learn it anew.
@Suite struct ParameterQuirkTests {
    private static func refusal(_ message: String) -> Fault.Action {
        .status(400, body: #"{"code":"400","message":"\#(message)"}"#)
    }

    @Test(arguments: [false, true])
    func `A refused parameter is left out from then on`(streams: Bool) async throws {
        try await RunningProxy.run { proxy in
            proxy.simulator.add(Fault(Self.refusal("Argument not supported on this model: seed"), kind: .chat))
            for _ in 0..<2 {
                let answer = try await proxy.chat(RunningProxy.body("Say hello.", streams: streams, #","seed":7"#))
                #expect(answer.status == 200)
            }
            let seeds = proxy.simulator.requests.filter { $0.kind == .chat }.map {
                $0.json?["chatRequest"]?["seed"]?.integer
            }
            #expect(seeds == [7, nil, nil])
            // It was the same attempt, and nothing that speaks against the account.
            let log = await proxy.wholeLog()
            #expect(log.contains("attempts=1") && !log.contains("attempts=2"))
        }
    }

    @Test func `No more than three lessons a request`() async throws {
        try await RunningProxy.run { proxy in
            for name in ["seed", "temperature", "topP", "frequencyPenalty"] {
                proxy.simulator.add(Fault(Self.refusal("Argument not supported on this model: \(name)"), kind: .chat))
            }
            let body = RunningProxy.body(
                "Say hello.", streams: false, #","seed":7,"temperature":0.5,"top_p":0.5,"frequency_penalty":0.5"#)
            let first = try await proxy.chat(body)
            #expect(first.status == 400 && first.error("param") == "frequency_penalty", "\(first.body)")
            let second = try await proxy.chat(body)
            #expect(second.status == 200)
            #expect(proxy.simulator.requests.filter { $0.kind == .chat }.count == 5)
        }
    }

    @Test func `A client hears what it cannot do without`() async throws {
        try await RunningProxy.run { proxy in
            proxy.simulator.add(Fault(Self.refusal("Argument not supported on this model: tools"), kind: .chat))
            let answer = try await proxy.chat(RunningProxy.body())
            #expect(answer.status == 400)
            #expect(proxy.simulator.requests.filter { $0.kind == .chat }.count == 1)
        }
    }
}
