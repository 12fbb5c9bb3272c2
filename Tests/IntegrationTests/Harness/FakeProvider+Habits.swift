extension FakeProvider {
    /// How upstreams answer that know OpenAI's API by hearsay. Whatever the habit, the answer says `one two` and calls `f` with `{"n":1}` and `{"n":2}`.
    enum Habit: CaseIterable, Sendable {
        case none
        /// Reasons that end nothing.
        case reasonWithEachEvent, reasonFirst, callsBehindReason
        /// What ends an answer is late, or is not there.
        case lateUsage, noDone, noReason
        /// Calls that are hard to tell apart.
        case oneCallID, noCallIDs, emptyCallIDs, nameAsCallID, restatedCalls, noCallNumbers, oneCallNumber,
            argumentsAsObject
        /// Lines, comments and statuses.
        case carriageReturns, returnsAndFeeds, comments, noBlankLines, created
        /// Another form.
        case otherKind, documentBetweenLines, wrapped
    }
}

extension FakeProvider.Reply {
    typealias Habit = FakeProvider.Habit

    /// An answer with that habit, in the form that was asked for.
    static func answer(_ habit: Habit, to call: FakeProvider.Call) -> FakeProvider.Reply {
        var reply = FakeProvider.Reply()
        if habit == .created { reply.status = 201 }
        guard call.streams != (habit == .otherKind) else {
            let document = document(habit, call)
            switch habit {
            case .wrapped: reply.pieces = [#"{"code":0,"msg":"ok","data":\#(document)}"#]
            case .documentBetweenLines: reply.pieces = [": PROCESSING\n\n", document, "\n\ndata: [DONE]\n\n"]
            default: reply.pieces = [document]
            }
            return reply
        }
        reply.headers = [("content-type", "text/event-stream")]
        var events = events(habit, call)
        if habit == .noDone { events.removeLast() }
        let comment = habit == .comments ? ": PROCESSING\n\nid: 1\nretry: 5\n" : ""
        var lines = events.map { "\(comment)data: \($0)\n\n" }
        switch habit {
        case .carriageReturns: lines = lines.map { $0.replacing("\n", with: "\r") }
        case .returnsAndFeeds: lines = lines.map { $0.replacing("\n", with: "\r\n") }
        case .noBlankLines: lines = lines.map { $0.replacing("\n\n", with: "\n") }
        default: break
        }
        reply.pieces = lines
        if habit == .lateUsage {
            reply.late = Array(lines.suffix(2))
            reply.pieces.removeLast(2)
            reply.pause = .milliseconds(200)
        }
        return reply
    }

    private static let usage = #""usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}"#

    private static func named(_ call: FakeProvider.Call) -> String {
        #""id":"c1","created":7,"model":"\#(call.model)""#
    }

    /// The data of all events; the last two are the usage and `[DONE]`.
    private static func events(_ habit: Habit, _ call: FakeProvider.Call) -> [String] {
        var events: [(delta: String, reason: String?)] = [
            (#"{"role":"assistant","content":""}"#, nil), (#"{"content":"one "}"#, nil), (#"{"content":"two"}"#, nil),
            (#"{"tool_calls":[\#(entry(1, habit, isStreamed: true))]}"#, nil),
            (#"{"tool_calls":[\#(entry(2, habit, isStreamed: true))]}"#, nil),
            ("{}", habit == .noReason ? nil : "tool_calls"),
        ]
        if habit == .restatedCalls {
            events.insert(
                (#"{"tool_calls":[\#(entry(1, habit, isStreamed: true)),\#(entry(2, habit, isStreamed: true))]}"#, nil),
                at: 5)
        }
        for index in events.indices
        where habit == .reasonWithEachEvent || habit == .reasonFirst && index == 1
            || habit == .callsBehindReason && index == 2
        {
            events[index].reason = events[index].reason ?? "stop"
        }
        let chunks = events.map { event in
            let reason = event.reason.map { "\"\($0)\"" } ?? "null"
            return
                #"{\#(named(call)),"object":"chat.completion.chunk","choices":[{"index":0,"delta":\#(event.delta),"finish_reason":\#(reason)}]}"#
        }
        return chunks + [#"{\#(named(call)),"object":"chat.completion.chunk","choices":[],\#(usage)}"#, "[DONE]"]
    }

    private static func document(_ habit: Habit, _ call: FakeProvider.Call) -> String {
        let calls = [1, 2].map { entry($0, habit, isStreamed: false) }.joined(separator: ",")
        let message = #"{"role":"assistant","content":"one two","tool_calls":[\#(calls)]}"#
        return
            #"{\#(named(call)),"object":"chat.completion","choices":[{"index":0,"message":\#(message),"finish_reason":"tool_calls"}],\#(usage)}"#
    }

    private static func entry(_ number: Int, _ habit: Habit, isStreamed: Bool) -> String {
        let id: String? =
            switch habit {
            case .oneCallID: "call_0"
            case .noCallIDs: nil
            case .emptyCallIDs: ""
            case .nameAsCallID: "f"
            default: "call_\(number)"
            }
        let index: Int? =
            switch habit {
            case _ where !isStreamed: nil
            case .noCallNumbers: nil
            case .oneCallNumber: 0
            default: number - 1
            }
        let arguments = habit == .argumentsAsObject ? #"{"n":\#(number)}"# : #""{\"n\":\#(number)}""#
        let members = [
            index.map { #""index":\#($0)"# }, id.map { #""id":"\#($0)""# }, #""type":"function""#,
            #""function":{"name":"f","arguments":\#(arguments)}"#,
        ]
        return "{\(members.compactMap { $0 }.joined(separator: ","))}"
    }
}
