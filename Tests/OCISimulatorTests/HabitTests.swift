import Testing

@testable import OCISimulator

/// Habits of upstreams that no document has, as the simulator plays them.
@Suite struct HabitTests {
    private let account: SimulatedAccount
    private let signer: TestSigner

    init() throws {
        account = try SimulatedAccount.generate(1)[0]
        signer = try TestSigner(account)
    }

    /// The text of the answer to a chat that uses two tools.
    private func answer(_ habit: Habit?, model: String, format: String = "GENERIC", streams: Bool = true) throws -> (
        script: ReplyScript, text: String
    ) {
        let service = SimulatedService(SimulatorConfiguration(accounts: [account]))
        if let habit { service.add(Fault(.habit(habit))) }
        let tools: JSON = .array(
            ["get_sun", "get_rain"].map { name -> JSON in
                let function: JSON = [
                    "name": .string(name), "description": "d", "parameters": ["type": "object", "properties": [:]],
                ]
                if format == "COHEREV2" { return ["type": "FUNCTION", "function": function] }
                return [
                    "type": "FUNCTION", "name": .string(name), "description": "d",
                    "parameters": ["type": "object", "properties": [:]],
                ]
            })
        let request: JSON = [
            "apiFormat": .string(format), "isStream": .bool(streams), "maxTokens": 100, "tools": tools,
            "messages": [["role": "USER", "content": [["type": "TEXT", "text": "use get_sun and get_rain"]]]],
        ]
        let body: JSON = [
            "compartmentId": .string(account.tenancy),
            "servingMode": ["servingType": "ON_DEMAND", "modelId": .string(model)], "chatRequest": request,
        ]
        let script = service.answer(try signer.request("POST", "/20231130/actions/chat", body: body.bytes)).script
        #expect(script.status == 200)
        switch script.form {
        case .stream(let chunks, _, _): return (script, String(decoding: chunks.flatMap(\.bytes), as: UTF8.self))
        case .whole(let body, _): return (script, String(decoding: body, as: UTF8.self))
        case .nothing: return (script, "")
        }
    }

    private func count(_ part: String, in text: String) -> Int {
        text.split(separator: part, omittingEmptySubsequences: false).count - 1
    }

    private static let families = [
        "xai.grok-4", "meta.llama-3.3-70b-instruct", "google.gemini-2.5-pro", "openai.gpt-oss-120b",
    ]

    @Test(arguments: families)
    func `Reasons come early`(model: String) throws {
        let usual = try answer(nil, model: model).text
        #expect(count("finishReason", in: usual) == 1)
        let each = try answer(.reasonWithEachEvent, model: model).text
        #expect(count("finishReason", in: each) == count("data: {", in: each))
        let first = try answer(.reasonFirst, model: model).text
        #expect(
            count("finishReason", in: first) == 2
                && first.split(separator: "\n").first?.contains("finishReason") == true)
    }

    @Test(arguments: families, [true, false])
    func `Calls have the IDs of the habit`(model: String, streams: Bool) throws {
        let hasIDs = !model.hasPrefix("google.")
        #expect(count(#""id":"#, in: try answer(nil, model: model, streams: streams).text) == (hasIDs ? 2 : 0))
        #expect(count(#""id":"#, in: try answer(.noCallIDs, model: model, streams: streams).text) == 0)
        let one = try answer(.oneCallID, model: model, streams: streams).text
        #expect(
            count(#""id":"\#(model.hasPrefix("meta.") ? "chatcmpl-tool-0" : "call_0")""#, in: one) == (hasIDs ? 2 : 0))
        let names = try answer(.nameAsCallID, model: model, streams: streams).text
        for name in ["get_sun", "get_rain"] { #expect(count(#""id":"\#(name)""#, in: names) == (hasIDs ? 1 : 0)) }
    }

    @Test(arguments: families)
    func `Calls are restated`(model: String) throws {
        let restated = try answer(.restatedCalls, model: model).text
        for name in ["get_sun", "get_rain"] { #expect(count(#""name":"\#(name)""#, in: restated) == 2) }
    }

    @Test func `Cohere takes what it can`() throws {
        let model = "cohere.command-a-03-2025"
        #expect(count("finishReason", in: try answer(.reasonWithEachEvent, model: model, format: "COHEREV2").text) == 1)
        #expect(count(#""id":"#, in: try answer(.noCallIDs, model: model, format: "COHEREV2").text) == 0)
        #expect(count(#""id":"call_0""#, in: try answer(.oneCallID, model: model, format: "COHEREV2").text) == 2)
        #expect(count(#""name":"get_sun""#, in: try answer(.restatedCalls, model: model, format: "COHEREV2").text) == 2)
    }

    @Test func `The tail comes late`() throws {
        guard case .stream(let chunks, _, _) = try answer(.lateTail(.seconds(3)), model: "xai.grok-4").script.form
        else {
            Issue.record("no stream")
            return
        }
        #expect(chunks.map(\.delay) == Array(repeating: .zero, count: chunks.count - 1) + [.seconds(3)])
        #expect(String(decoding: chunks.last?.bytes ?? [], as: UTF8.self) == "data: [DONE]\n\n")
    }

    @Test func `Lines end otherwise`() throws {
        let text = try answer(.carriageReturns, model: "xai.grok-4").text
        #expect(!text.contains("\n") && text.hasSuffix("data: [DONE]\r\r"))
    }

    @Test(arguments: [true, false])
    func `Bodies are packed`(streams: Bool) throws {
        let (script, _) = try answer(.packed, model: "xai.grok-4", streams: streams)
        #expect(script.headers.contains { $0.name == "content-encoding" && $0.value == "gzip" })
        let bytes: [UInt8] =
            switch script.form {
            case .stream(let chunks, _, _): chunks.flatMap(\.bytes)
            case .whole(let body, _): body
            case .nothing: []
            }
        #expect(bytes.starts(with: [0x1F, 0x8B, 8]) && String(decoding: bytes, as: UTF8.self).contains("get_sun"))
    }

    /// The check value of CRC-32, and the length behind it.
    @Test func `The checksum is that of the format`() {
        var packer = StoredGzip()
        let packed = packer.add(Array("12345".utf8)) + packer.add(Array("6789".utf8)) + packer.finish()
        #expect(packed.suffix(8) == [0x26, 0x39, 0xF4, 0xCB, 9, 0, 0, 0])
        #expect(Array(packed[10..<15]) == [0, 5, 0, 0xFA, 0xFF])
    }

    @Test func `Refusals have many forms`() {
        for place in OddRefusal.forms.indices {
            let script = FaultyAnswer(effects: effects(.oddRefusal(422, form: place)), pacing: Pacing()).instead()
            guard case .whole(let body, _)? = script?.form else {
                Issue.record("no refusal")
                return
            }
            #expect(script?.status == 422 && String(decoding: body, as: UTF8.self).contains(OddRefusal.words))
        }
        #expect(FaultyAnswer(effects: effects(.oddRefusal(400)), pacing: Pacing()).instead()?.status == 400)
        #expect(Set(OddRefusal.forms.map(\.body)).count == OddRefusal.forms.count)
    }

    private func effects(_ action: Fault.Action) -> FaultEffects {
        var table = FaultTable()
        table.add(Fault(action))
        return table.effects(account: "a", model: nil, kind: .chat)
    }

    @Test func `Habits go together`() {
        var table = FaultTable()
        for habit in [Habit.oneCallID, .carriageReturns, .oneCallID] { table.add(Fault(.habit(habit))) }
        #expect(table.effects(account: "a", model: nil, kind: .chat).habits == [.oneCallID, .carriageReturns])
        #expect(table.effects(account: "a", model: nil, kind: .chat).habits == [.oneCallID])
    }

    @Test func `Every name is a habit`() {
        for name in Habit.names { #expect(Habit(name, duration: .seconds(1)) != nil) }
        #expect(Habit("lateTail", duration: .seconds(1)) == .lateTail(.seconds(1)))
    }

    /// In OpenAI's form.
    @Test(arguments: [(Habit?.none, [0, 1]), (.oneCallNumber, [0, 0]), (.noCallNumbers, [])])
    func `Calls are numbered by habit`(habit: Habit?, numbers: [Int]) throws {
        let model = try #require(Catalogue().model("xai.grok-4", in: account.region))
        var answer = Answer()
        answer.toolCalls = ["f", "g"].map { Answer.ToolCall(id: "call_\($0)", name: $0, arguments: [:]) }
        answer.finish = .toolCalls
        if let habit { answer.take(habit) }
        let call = ChatCall(format: .generic)
        let events = OpenAIDialect(call: call, model: model, id: "x", created: 1).events(answer)
        let entries = events.flatMap { event -> [JSON] in
            guard case .unpadded(let chunk) = event.payload else { return [] }
            return chunk["choices"]?[0]?["delta"]?["tool_calls"]?.array ?? []
        }
        #expect(entries.count == 2 && entries.compactMap { $0["index"]?.integer } == numbers)
    }
}
