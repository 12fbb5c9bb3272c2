import Testing

@testable import OCISimulator

@Suite struct FaultTests {
    private func actions(_ table: inout FaultTable, _ count: Int, account: String = "a", model: String? = "m")
        -> [Fault.Action?]
    {
        (0..<count).map { _ in table.effects(account: account, model: model, kind: .chat).instead }
    }

    @Test func `Fault strikes so many times after so many`() {
        var table = FaultTable()
        table.add(Fault(.reset, after: 2, times: 2))
        #expect(actions(&table, 6) == [nil, nil, .reset, .reset, nil, nil])
    }

    @Test func `Fault without count stays until taken away`() {
        var table = FaultTable()
        table.add(Fault(.stall, times: nil))
        #expect(actions(&table, 3) == [.stall, .stall, .stall])
        table.removeAll()
        #expect(actions(&table, 1) == [nil])
    }

    @Test func `Fault strikes only what it names`() {
        var table = FaultTable()
        table.add(Fault(.close, account: "b", model: "n", kind: .chat, times: nil))
        #expect(actions(&table, 1, account: "a", model: "n") == [nil])
        #expect(actions(&table, 1, account: "b", model: "m") == [nil])
        #expect(table.effects(account: "b", model: "n", kind: .embed).instead == nil)
        #expect(actions(&table, 1, account: "b", model: "n") == [.close])
    }

    @Test func `Faults of one kind follow each other and delays add up`() {
        var table = FaultTable()
        table.add(Fault(.delay(.milliseconds(5)), times: 2))
        table.add(Fault(.delay(.milliseconds(7))))
        table.add(Fault(.status(429)))
        table.add(Fault(.status(500)))
        table.add(Fault(.cut(afterEvents: 1)))
        let first = table.effects(account: "a", model: nil, kind: .chat)
        #expect(first.delay == .milliseconds(12))
        #expect(first.instead == .status(429))
        #expect(first.midway == .cut(afterEvents: 1))
        let second = table.effects(account: "a", model: nil, kind: .chat)
        #expect(second.delay == .milliseconds(5))
        #expect(second.instead == .status(500))
        #expect(second.midway == nil)
        #expect(table.effects(account: "a", model: nil, kind: .chat) == FaultEffects())
    }

    static let texts: [(String, Fault)] = [
        (#"{"action":"delay","ms":5,"times":"forever"}"#, Fault(.delay(.milliseconds(5)), times: nil)),
        (#"{"action":"delayFirstEvent","ms":5}"#, Fault(.delayFirstEvent(.milliseconds(5)))),
        (
            #"{"action":"status","status":429,"retryAfter":7,"account":"a","model":"m","kind":"chat","after":1}"#,
            Fault(.status(429, retryAfter: 7), account: "a", model: "m", kind: .chat, after: 1)
        ),
        (
            #"{"action":"status","status":502,"body":"x","contentType":"text/plain","times":3}"#,
            Fault(.status(502, body: "x", contentType: "text/plain"), times: 3)
        ),
        (#"{"action":"gatewayTimeoutPage"}"#, Fault(.gatewayTimeoutPage)),
        (#"{"action":"reset"}"#, Fault(.reset)), (#"{"action":"close"}"#, Fault(.close)),
        (#"{"action":"stall"}"#, Fault(.stall)), (#"{"action":"otherKind"}"#, Fault(.otherKind)),
        (#"{"action":"huge","bytes":9}"#, Fault(.huge(bytes: 9))),
        (#"{"action":"empty"}"#, Fault(.empty)), (#"{"action":"cut","events":2}"#, Fault(.cut(afterEvents: 2))),
        (#"{"action":"resetMidway","events":2}"#, Fault(.resetMidway(afterEvents: 2))),
        (#"{"action":"stallMidway","events":2}"#, Fault(.stallMidway(afterEvents: 2))),
        (#"{"action":"brokenEvent","events":2}"#, Fault(.brokenEvent(afterEvents: 2))),
        (#"{"action":"cut","bytes":2}"#, Fault(.cut(after: .bytes(2)))),
        (#"{"action":"resetMidway","bytes":2}"#, Fault(.resetMidway(after: .bytes(2)))),
        (#"{"action":"stallMidway","bytes":2}"#, Fault(.stallMidway(after: .bytes(2)))),
        (#"{"action":"brokenEvent","bytes":2}"#, Fault(.brokenEvent(after: .bytes(2)))),
        (#"{"action":"habit","habit":"samples"}"#, Fault(.habit(.samples))),
        (#"{"action":"silentEnd","events":2}"#, Fault(.silentEnd(afterEvents: 2))),
        (#"{"action":"errorEvent","events":2}"#, Fault(.errorEvent(afterEvents: 2))),
        (#"{"action":"status","status":200,"body":"{}"}"#, Fault(.status(200, body: "{}"))),
        (#"{"action":"oddRefusal","status":400}"#, Fault(.oddRefusal(400))),
        (#"{"action":"oddRefusal","status":422,"form":2}"#, Fault(.oddRefusal(422, form: 2))),
        (#"{"action":"habit","habit":"oneCallID","times":"forever"}"#, Fault(.habit(.oneCallID), times: nil)),
        (#"{"action":"habit","habit":"lateTail","ms":3000}"#, Fault(.habit(.lateTail(.seconds(3))))),
        (#"{"action":"noDone"}"#, Fault(.noDone)), (#"{"action":"keepOpen"}"#, Fault(.keepOpen)),
    ]

    @Test(arguments: texts) func `Fault is read from JSON`(text: String, fault: Fault) throws {
        #expect(try Fault(JSONParser.parse(Array(text.utf8))) == fault)
    }

    @Test func `A stream takes harm at any byte`() {
        let events = ["one", "two"].map { StreamEvent(payload: .raw($0), isPaced: true) }
        func bytes(_ action: Fault.Action) -> (text: String, ending: ReplyScript.Ending) {
            var effects = FaultEffects()
            effects.midway = action
            let script = FaultyAnswer(effects: effects, pacing: Pacing()).stream(events)
            guard case .stream(let chunks, _, _) = script.form else { return ("", .complete) }
            return (String(decoding: chunks.flatMap(\.bytes), as: UTF8.self), script.ending)
        }
        let whole = "data: one\n\ndata: two\n\n"
        for count in 0...whole.utf8.count + 1 {
            let part = String(whole.prefix(count))
            #expect(bytes(.cut(after: .bytes(count))) == (part, .close))
            #expect(bytes(.resetMidway(after: .bytes(count))) == (part, .reset))
            #expect(bytes(.stallMidway(after: .bytes(count))) == (part, .stall))
            var garbled = Array(whole.utf8)
            if garbled.indices.contains(count) { garbled[count] = 0 }
            #expect(bytes(.brokenEvent(after: .bytes(count))) == (String(decoding: garbled, as: UTF8.self), .complete))
        }
    }

    @Test(arguments: [
        "{}", "[]", #"{"action":"explode"}"#, #"{"action":"status"}"#, #"{"action":"status","status":200}"#,
        #"{"action":"reset","times":0}"#, #"{"action":"reset","kind":"x"}"#, #"{"action":"reset","acount":"a"}"#,
        #"{"action":"huge"}"#, #"{"action":"habit"}"#, #"{"action":"habit","habit":"odd"}"#,
        #"{"action":"oddRefusal"}"#, #"{"action":"oddRefusal","status":200}"#,
        #"{"action":"oddRefusal","status":400,"form":99}"#,
    ])
    func `Nonsense is refused in words`(text: String) throws {
        let json = try JSONParser.parse(Array(text.utf8))
        let error = #expect(throws: ControlError.self) { try Fault(json) }
        #expect(error?.message.isEmpty == false)
    }
}
