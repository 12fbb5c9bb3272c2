import Foundation
import Testing

@testable import OCISimulator

/// The simulator over loopback.
@Suite(.timeLimit(.minutes(5))) struct SimulatorTests {
    /// Runs `body` against a simulator, which is stopped whatever happens.
    private func withSimulator(
        accounts: Int = 1, _ change: (inout SimulatorConfiguration) throws -> Void = { _ in },
        _ body: (OCISimulator) async throws -> Void
    ) async throws {
        var configuration = SimulatorConfiguration(accounts: try SimulatedAccount.generate(accounts))
        try change(&configuration)
        let simulator = try await OCISimulator.start(configuration)
        do {
            try await body(simulator)
        } catch {
            try await simulator.stop()
            throw error
        }
        try await simulator.stop()
    }

    private func chat(
        _ account: SimulatedAccount, text: String = "hello there", isStream: Bool = true, model: String = "xai.grok-3"
    ) throws -> SignedRequest {
        let body: JSON = [
            "compartmentId": .string(account.tenancy),
            "servingMode": ["servingType": "ON_DEMAND", "modelId": .string(model)],
            "chatRequest": [
                "apiFormat": "GENERIC", "maxTokens": 100, "isStream": .bool(isStream),
                "messages": [["role": "USER", "content": [["type": "TEXT", "text": .string(text)]]]],
            ],
        ]
        return try TestSigner(account).request("POST", "/20231130/actions/chat", body: body.bytes)
    }

    private func control(_ method: String, _ path: String, _ body: JSON? = nil) -> SignedRequest {
        SignedRequest(
            method: method, target: "/__control/" + path, headers: [(name: "host", value: "localhost")],
            body: body?.bytes ?? [])
    }

    /// One request on a connection of its own.
    private func ask(_ port: Int, _ request: SignedRequest) async throws -> TestAnswer {
        let connection = try await TestConnection.open(port: port)
        try await connection.send(request)
        let answer = await connection.answer()
        try? await connection.close()
        return answer
    }

    // MARK: Whole exchanges

    @Test func `One connection serves many requests`() async throws {
        try await withSimulator { simulator in
            let connection = try await TestConnection.open(port: simulator.port)
            for isStream in [true, false, true] {
                try await connection.send(try chat(simulator.accounts[0], isStream: isStream))
                let answer = await connection.answer()
                #expect(answer.status == 200)
                #expect(answer.isComplete)
                #expect(answer.headers["opc-request-id"]?.split(separator: "/").map(\.count) == [32, 32, 32])
                if isStream {
                    #expect(answer.headers["content-type"] == "text/event-stream")
                    #expect(answer.streamedText == "You said: hello there")
                    #expect(answer.events.last == "[DONE]")
                } else {
                    #expect(answer.text.contains("You said: hello there"))
                }
            }
            #expect(simulator.requests.map(\.status) == [200, 200, 200])
            try await connection.close()
        }
    }

    @Test func `Bad signature is refused vaguely and recorded exactly`() async throws {
        try await withSimulator { simulator in
            var request = try chat(simulator.accounts[0])
            request.body[20] ^= 1
            let answer = try await ask(simulator.port, request)
            #expect(answer.status == 401)
            let json = try JSONParser.parse(answer.body)
            #expect(json["code"] == "NotAuthenticated")
            #expect(json["message"]?.string?.contains("digest") == false)
            let record = try #require(simulator.requests.first)
            #expect(record.refusal?.contains("digest") == true)
            #expect(record.account == "account_1")
        }
    }

    @Test func `Listing goes through its pages`() async throws {
        try await withSimulator { simulator in
            let account = simulator.accounts[0]
            let target = "/20231130/models?compartmentId=\(account.tenancy)&limit=1000"
            let answer = try await ask(simulator.port, try TestSigner(account).request("GET", target))
            #expect(answer.status == 200)
            #expect(answer.headers["opc-next-page"] == nil)
            let first = try await ask(
                simulator.port,
                try TestSigner(account).request("GET", target.replacing("limit=1000", with: "limit=3")))
            #expect(first.headers["opc-next-page"] != nil)
            #expect(simulator.requests.allSatisfy { $0.kind == .models })
        }
    }

    @Test func `Events come at their pace`() async throws {
        try await withSimulator {
            $0.pacing = Pacing(events: 4, interval: .milliseconds(20), firstDelay: .milliseconds(10))
        } _: { simulator in
            let start = ContinuousClock.now
            let answer = try await ask(simulator.port, try chat(simulator.accounts[0]))
            #expect(ContinuousClock.now - start >= .milliseconds(70))
            #expect(answer.streamedText == "word1 word2 word3 word4 ")
        }
    }

    @Test func `Thousand streams arrive whole`() async throws {
        Self.raiseDescriptorLimit()
        try await withSimulator(accounts: 4) {
            $0.pacing = Pacing(events: 5, interval: .milliseconds(20))
        } _: { simulator in
            let requests = try simulator.accounts.map { try chat($0) }
            try await withThrowingTaskGroup(of: TestAnswer.self) { group in
                for index in 0..<1000 {
                    group.addTask { try await ask(simulator.port, requests[index % 4]) }
                }
                for try await answer in group {
                    #expect(answer.isComplete && answer.streamedText == "word1 word2 word3 word4 word5 ")
                }
            }
            let statistics = simulator.statistics
            #expect(statistics.all.byStatus == [200: 1000])
            #expect(statistics.accounts.mapValues(\.requests).values.allSatisfy { $0 == 250 })
        }
    }

    @Test func `Thousand streams are open at once`() async throws {
        Self.raiseDescriptorLimit()
        try await withSimulator { simulator in
            simulator.add(Fault(.stallMidway(afterEvents: 1), times: nil))
            let request = try chat(simulator.accounts[0])
            let connections = try await withThrowingTaskGroup(of: TestConnection.self) { group in
                for _ in 0..<1000 {
                    group.addTask {
                        let connection = try await TestConnection.open(port: simulator.port)
                        try await connection.send(request)
                        return connection
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            for id in 1...1000 {
                _ = try await simulator.request(after: id - 1) { $0.id == id && $0.eventsSent == 1 }
            }
            #expect(simulator.statistics.all.inFlight == 1000)
            for connection in connections { try await connection.close() }
            for id in 1...1000 { #expect(try await simulator.ended(id).ending == .clientClosed) }
            #expect(simulator.statistics.all.inFlight == 0)
            #expect(simulator.statistics.accounts["account_1"]?.peakInFlight == 1000)
        }
    }

    /// A thousand connections need two thousand descriptors here.
    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = min(limit.rlim_max, 65536)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    // MARK: Faults

    struct Expectation: Sendable, CustomTestStringConvertible {
        let action: Fault.Action
        var isStream = true
        var status: Int? = 200
        var isComplete = true
        var isReset = false
        /// Number of events; nil: not looked at.
        var events: Int?
        var contains = ""
        var lacks = ""
        var ending = RequestRecord.Ending.completed
        var testDescription: String { "\(action), \(isStream ? "stream" : "whole")" }
    }

    /// `hello there` is answered by six events: four texts, the finish reason, `[DONE]`.
    static let expectations: [Expectation] = [
        Expectation(action: .delay(.milliseconds(1)), events: 6),
        Expectation(action: .delayFirstEvent(.milliseconds(1)), events: 6),
        Expectation(action: .status(429), status: 429, contains: "TooManyRequests"),
        Expectation(action: .status(503), status: 503, contains: "ServiceUnavailable"),
        Expectation(action: .status(502, body: ""), status: 502),
        Expectation(action: .gatewayTimeoutPage, status: 504, contains: "<html>"),
        Expectation(action: .reset, status: nil, isComplete: false, isReset: true, ending: .reset),
        Expectation(action: .close, status: nil, isComplete: false, ending: .cut),
        Expectation(action: .cut(afterEvents: 2), isComplete: false, events: 2, ending: .cut),
        Expectation(action: .brokenEvent(afterEvents: 1), events: 7, contains: "\"ASSIST\n"),
        Expectation(action: .silentEnd(afterEvents: 2), events: 2, lacks: "finishReason"),
        Expectation(action: .silentEnd(afterEvents: 99), events: 4, lacks: "finishReason"),
        Expectation(action: .errorEvent(afterEvents: 1), events: 2, contains: "{\"code\":\"500\"", lacks: "DONE"),
        Expectation(action: .noDone, events: 5, contains: "finishReason", lacks: "DONE"),
        Expectation(action: .empty, events: 2, contains: "stop", lacks: "TEXT"),
        Expectation(action: .empty, isStream: false, contains: "stop", lacks: "TEXT"),
        Expectation(action: .cut(afterEvents: 1), isStream: false, isComplete: false, ending: .cut),
        Expectation(action: .brokenEvent(afterEvents: 1), isStream: false, contains: "choices", lacks: "finishReason"),
        Expectation(action: .errorEvent(afterEvents: 1), isStream: false, status: 500, contains: "code"),
        Expectation(action: .habit(.lateTail(.milliseconds(50))), events: 6, contains: "[DONE]"),
        Expectation(action: .habit(.carriageReturns), contains: "[DONE]\r\r", lacks: "\n"),
        Expectation(action: .habit(.packed), contains: "[DONE]"),
        Expectation(action: .habit(.packed), isStream: false, contains: "choices"),
        Expectation(action: .status(200, body: #"{"code":"429","message":"slow"}"#), contains: "slow"),
        Expectation(action: .oddRefusal(422, form: 0), status: 422, contains: OddRefusal.words),
    ]

    @Test(arguments: expectations) func `Fault is seen by the client`(expectation: Expectation) async throws {
        try await withSimulator { simulator in
            simulator.add(Fault(expectation.action))
            let request = try chat(simulator.accounts[0], isStream: expectation.isStream)
            let answer = try await ask(simulator.port, request)
            #expect(answer.status == expectation.status)
            #expect(answer.isComplete == expectation.isComplete)
            #expect(answer.isReset == expectation.isReset)
            if let events = expectation.events { #expect(answer.events.count == events) }
            #expect(expectation.contains.isEmpty || answer.text.contains(expectation.contains))
            #expect(expectation.lacks.isEmpty || !answer.text.contains(expectation.lacks))
            let record = try await simulator.ended(1)
            #expect(record.ending == expectation.ending)
            // The fault was for one request only.
            let second = try await ask(simulator.port, request)
            #expect(second.status == 200 && second.isComplete)
        }
    }

    @Test func `Reset in mid stream is a real reset`() async throws {
        try await withSimulator { simulator in
            simulator.add(Fault(.resetMidway(afterEvents: 2)))
            let answer = try await ask(simulator.port, try chat(simulator.accounts[0]))
            // What the client has not read yet is lost with RST, so the events are not counted.
            #expect(!answer.isComplete && answer.isReset)
            #expect(try await simulator.ended(1).ending == .reset)
        }
    }

    @Test func `Retry after is sent only when asked`() async throws {
        try await withSimulator { simulator in
            simulator.add(Fault(.status(429, retryAfter: 7)))
            simulator.add(Fault(.status(429)))
            let request = try chat(simulator.accounts[0])
            #expect(try await ask(simulator.port, request).headers["retry-after"] == "7")
            #expect(try await ask(simulator.port, request).headers["retry-after"] == nil)
        }
    }

    @Test(arguments: [true, false]) func `Huge answer arrives whole`(isStream: Bool) async throws {
        try await withSimulator { simulator in
            let size = 4 << 20
            simulator.add(Fault(.huge(bytes: size)))
            let answer = try await ask(simulator.port, try chat(simulator.accounts[0], isStream: isStream))
            #expect(answer.isComplete)
            #expect(answer.body.count { $0 == UInt8(ascii: "x") } >= size)
        }
    }

    // MARK: Watching

    @Test(arguments: [Fault.Action.stall, .delay(.seconds(60)), .delayFirstEvent(.seconds(60))])
    func `Client that leaves before the first event is seen`(action: Fault.Action) async throws {
        try await withSimulator { simulator in
            simulator.add(Fault(action))
            let connection = try await TestConnection.open(port: simulator.port)
            try await connection.send(try chat(simulator.accounts[0]))
            let record = try await simulator.request { $0.kind == .chat }
            #expect(record.ending == nil)
            #expect(simulator.statistics.accounts["account_1"]?.inFlight == 1)
            let left = ContinuousClock.now
            try await connection.close()
            let ended = try await simulator.ended(record.id)
            #expect(ended.ending == .clientClosed)
            #expect(try #require(ended.ended) >= left)
            #expect(ended.eventsSent == 0)
            #expect(simulator.statistics.accounts["account_1"]?.inFlight == 0)
        }
    }

    @Test(arguments: [Fault.Action.stallMidway(afterEvents: 2), .keepOpen])
    func `Client that leaves in mid stream is seen`(action: Fault.Action) async throws {
        try await withSimulator { simulator in
            simulator.add(Fault(action))
            let connection = try await TestConnection.open(port: simulator.port)
            try await connection.send(try chat(simulator.accounts[0]))
            let expected = action == .keepOpen ? 6 : 2
            let record = try await simulator.request { $0.eventsSent >= expected }
            #expect(record.eventsSent == expected)
            try await connection.close()
            #expect(try await simulator.ended(record.id).ending == .clientClosed)
        }
    }

    @Test func `Waiting ends with the task and with the simulator`() async throws {
        try await withSimulator { simulator in
            let cancelled = Task { try await simulator.request { $0.id == 99 } }
            cancelled.cancel()
            await #expect(throws: CancellationError.self) { try await cancelled.value }
            let stopped = Task { try await simulator.request { $0.id == 99 } }
            try await simulator.stop()
            await #expect(throws: CancellationError.self) { try await stopped.value }
        }
    }

    // MARK: Ports

    @Test func `Accounts port can be closed and opened`() async throws {
        try await withSimulator(accounts: 2) {
            $0.listenerPerAccount = true
        } _: { simulator in
            let ports = try ["account_1", "account_2"].map { id in
                try #require(URL(string: simulator.endpoint(of: id))?.port)
            }
            #expect(Set(ports + [simulator.port]).count == 3)
            let request = try chat(simulator.accounts[0])
            let idle = try await TestConnection.open(port: ports[0])
            try await idle.send(request)
            #expect(await idle.answer().status == 200)
            try await simulator.refuseConnections(of: "account_1")
            #expect(await idle.answer().status == nil)
            await #expect(throws: (any Error).self) { try await TestConnection.open(port: ports[0]) }
            #expect(try await ask(ports[1], try chat(simulator.accounts[1])).status == 200)
            try await simulator.acceptConnections(of: "account_1")
            #expect(try await ask(ports[0], request).status == 200)
        }
    }

    // MARK: Control

    @Test func `Control steers and reports`() async throws {
        try await withSimulator { simulator in
            let port = simulator.port
            let account = simulator.accounts[0]
            let fault: JSON = ["action": "status", "status": 429, "account": "account_1", "retryAfter": 3]
            #expect(try await ask(port, control("POST", "faults", ["faults": [fault]])).status == 200)
            #expect(try await ask(port, control("POST", "pacing", ["events": 2, "text": "ab"])).status == 200)
            #expect(try await ask(port, try chat(account)).status == 429)
            #expect(try await ask(port, try chat(account)).streamedText == "abab")
            let statistics = try JSONParser.parse(try await ask(port, control("GET", "stats")).body)
            #expect(statistics["accounts"]?["account_1"]?["byStatus"] == ["200": 1, "429": 1])
            let requests = try JSONParser.parse(try await ask(port, control("GET", "requests?after=1")).body)
            let records = try #require(requests["requests"]?.array)
            #expect(records.count == 1)
            #expect(records[0]["id"] == 2)
            #expect(records[0]["ending"] == "completed")
            #expect(records[0]["eventsSent"] == 4)
            #expect(records[0]["body"]?["chatRequest"]?["isStream"] == true)
            #expect(try await ask(port, control("POST", "faults", ["action": "explode"])).status == 400)
            #expect(try await ask(port, control("POST", "listeners", ["account": "a", "open": true])).status == 400)
            #expect(try await ask(port, control("GET", "nothing")).status == 404)
            #expect(try await ask(port, control("POST", "reset")).status == 200)
            #expect(simulator.requests.isEmpty)
            #expect(simulator.pacing == Pacing())
        }
    }

    @Test func `Control steers the OpenAI path`() async throws {
        try await withSimulator {
            $0.accounts[0] = try $0.accounts[0].with(apiKeys: ["one"])
        } _: { simulator in
            let port = simulator.port
            let compartment = try #require(simulator.accounts[0].compartment)
            func ask(_ key: String, _ method: String, _ path: String, _ body: String = "") async throws -> TestAnswer {
                let headers = [
                    "authorization": "Bearer \(key)", "opc-compartment-id": compartment, "host": "localhost",
                ]
                return try await self.ask(
                    port,
                    SignedRequest(
                        method: method, target: "/openai/v1/" + path, headers: headers.map { ($0.key, $0.value) },
                        body: Array(body.utf8)))
            }
            let body = #" {"model":"xai.grok-4.3","stream":true,"messages":[{"role":"user","content":"\u0068i"}]}"#
            let answer = try await ask("one", "POST", "chat/completions", body)
            #expect(answer.status == 200 && answer.headers["content-type"] == "text/event-stream")
            #expect(answer.events.count == 6 && answer.events.last == "[DONE]")
            #expect(answer.text.contains(#""delta":{"content":" hi"}"#))
            let records = try JSONParser.parse(try await self.ask(port, control("GET", "requests?raw=true")).body)
            let record = try #require(records["requests"]?.array?.first)
            #expect(record["bodyBase64"]?.string == Data(body.utf8).base64EncodedString())
            #expect(record["account"] == "account_1" && record["model"] == "xai.grok-4.3" && record["eventsSent"] == 6)

            let keys: JSON = ["account": "account_1", "keys": ["two", "three"]]
            #expect(try await self.ask(port, control("POST", "keys", keys)).status == 200)
            #expect(try await ask("one", "GET", "models").status == 401)
            #expect(try await ask("three", "GET", "models").status == 200)
            #expect(try await self.ask(port, control("POST", "openai", ["listsModels": false])).status == 200)
            #expect(try await ask("two", "GET", "models").status == 404)
            #expect(simulator.listsOpenAIModels == false)
            for wrong: JSON in [
                ["account": "account_1"], ["account": "x", "keys": []], ["account": "account_1", "keys": ["a", 1]],
            ] {
                #expect(try await self.ask(port, control("POST", "keys", wrong)).status == 400)
            }
            #expect(try await self.ask(port, control("POST", "openai", [:])).status == 400)
            #expect(try await self.ask(port, control("POST", "reset")).status == 200)
            #expect(try await ask("one", "GET", "models").status == 200)
            try simulator.setAPIKeys([], of: "account_1")
            #expect(try await ask("one", "GET", "models").status == 401)
            // The books are closed when the answer is out.
            _ = try await simulator.ended(try #require(simulator.requests.last?.id))
            #expect(simulator.statistics.all.byStatus[401] == 1)
        }
    }

    @Test func `Port opens again through control`() async throws {
        try await withSimulator {
            $0.listenerPerAccount = true
        } _: { simulator in
            let own = try #require(URL(string: simulator.endpoint(of: "account_1"))?.port)
            let close: JSON = ["account": "account_1", "open": false]
            #expect(try await ask(simulator.port, control("POST", "listeners", close)).status == 200)
            await #expect(throws: (any Error).self) { try await TestConnection.open(port: own) }
            #expect(try await ask(simulator.port, control("POST", "reset")).status == 200)
            #expect(try await ask(own, try chat(simulator.accounts[0])).status == 200)
        }
    }
}
