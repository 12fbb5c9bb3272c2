import Testing

@testable import Proxy
@testable import ProxyRouting

/// What listens to a model beside the client, and the source of OpenAI's own dialect: each round from events to a sink and back says the same.
@Suite struct ChatSinksTests {
    private static let envelope = ChunkEnvelope(id: "chatcmpl-1", created: 7, model: "m")

    private static func slice(_ text: String) -> ArraySlice<UInt8> { Array(text.utf8)[...] }

    /// Tells a whole answer with everything in it.
    private static func tell(_ sink: inout some ChatEventSink) {
        sink.begin(choice: 0)
        sink.reasoning(slice("hm\\n"), choice: 0)
        sink.text(slice("one "), logprobs: nil, choice: 0)
        sink.text(slice("two"), logprobs: nil, choice: 0)
        sink.toolCall(0, id: "a", name: slice("f"), arguments: slice("{"), choice: 0)
        sink.arguments(slice("}"), of: 0, choice: 0)
        sink.toolCall(1, id: "b", name: slice("g"), arguments: slice("{}"), choice: 0)
        sink.begin(choice: 1)
        sink.refusal(slice("no"), choice: 1)
        sink.finish(.toolCalls, choice: 0)
        sink.finish(.stop, choice: 1)
        sink.usage(TokenUsage(prompt: 3, completion: 4, total: 7))
        sink.end()
    }

    private static func document(_ sink: ChatDocument) -> String {
        String(decoding: sink.written(capacity: 1024).body, as: UTF8.self)
    }

    private static var whole: String {
        var document = ChatDocument(envelope)
        tell(&document)
        return Self.document(document)
    }

    @Test func `A document has all that was told`() throws {
        #expect(
            Self.whole
                == #"{"id":"chatcmpl-1","object":"chat.completion","created":7,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"one two","reasoning_content":"hm\n","refusal":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]},"logprobs":null,"finish_reason":"tool_calls"},{"index":1,"message":{"role":"assistant","content":null,"refusal":"no"},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}"#
        )
    }

    @Test func `Chunks that are read again say the same`() throws {
        var chunks = ChatChunks(Self.envelope, includesUsage: true)
        Self.tell(&chunks)
        var source = OpenAIChatSource(.given("chatcmpl-1"), of: "acme", choices: 2)
        var document = ChatDocument(Self.envelope)
        var again = ChatChunks(Self.envelope, includesUsage: true)
        var steps: [ChatStreamStep] = []
        for line in String(decoding: chunks.bytes, as: UTF8.self).split(separator: "\n\n") {
            var both = PairedSinks(again, document)
            steps.append(source.read(Self.slice(String(line.dropFirst(6))), into: &both))
            (again, document) = (both.first, both.second)
        }
        #expect(steps.last == .complete && !steps.contains { if case .failed = $0 { true } else { false } })
        #expect(Self.document(document) == Self.whole)
        #expect(source.usage == TokenUsage(prompt: 3, completion: 4, total: 7))
    }

    @Test func `A document that is read again says the same`() throws {
        var source = OpenAIChatSource(.given("x"), of: "acme")
        var document = ChatDocument(Self.envelope)
        try source.read(document: Array(Self.whole.utf8), into: &document)
        #expect(Self.document(document) == Self.whole)
    }

    @Test func `Calls without numbers or with one number for all are told apart`() throws {
        for numbers in [
            ["", "", ""], [#""index":0,"#, #""index":0,"#, #""index":0,"#],
            [#""index":0,"#, #""index":0,"#, #""index":1,"#],
        ] {
            let entries = [
                #""id":"a","function":{"name":"f","arguments":"{"}"#, #""function":{"arguments":"}"}"#,
                #""id":"b","function":{"name":"f","arguments":"{}"}"#,
            ]
            var source = OpenAIChatSource(.given("x"), of: "acme")
            var transcript = Transcript()
            for (number, entry) in zip(numbers, entries) {
                #expect(
                    source.read(
                        Self.slice(#"{"choices":[{"index":0,"delta":{"tool_calls":[{\#(number)\#(entry)}]}}]}"#),
                        into: &transcript) == .more)
            }
            #expect(
                source.read(
                    Self.slice(#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#), into: &transcript)
                    == .finished)
            #expect(source.end(into: &transcript) == nil && transcript.isComplete)
            let choice = try #require(transcript.choices[0])
            #expect(
                choice.calls.map(\.id) == ["a", "b"]
                    && choice.calls.map { String(decoding: $0.arguments, as: UTF8.self) } == ["{}", "{}"])
            #expect(choice.reason == .toolCalls)
        }
    }

    @Test(arguments: [
        (#"{"error":{"message":"slow down","code":"rate_limit_exceeded"}}"#, "rate_limit_exceeded"),
        (#"{"choices":[{"finish_reason":"error"}]}"#, "upstream_error"),
    ])
    func `A failure in a stream is told and not passed on`(event: String, code: String) {
        var source = OpenAIChatSource(.given("x"), of: "acme")
        var transcript = Transcript()
        guard case .failed(let failure) = source.read(Self.slice(event), into: &transcript) else {
            return #expect(Bool(false))
        }
        #expect(failure.code == code && transcript.choices.isEmpty)
    }

    @Test func `What ends too early or says nothing is no answer`() {
        var (source, transcript) = (OpenAIChatSource(.given("x"), of: "acme"), Transcript())
        _ = source.read(Self.slice(#"{"choices":[{"delta":{"content":"x"}}]}"#), into: &transcript)
        #expect(source.end(into: &transcript) == .incompleteStream)
        (source, transcript) = (OpenAIChatSource(.given("x"), of: "acme"), Transcript())
        _ = source.read(
            Self.slice(#"{"choices":[{"delta":{"content":""},"finish_reason":"stop"}]}"#), into: &transcript)
        #expect(source.end(into: &transcript) == .emptyAnswer)
        (source, transcript) = (OpenAIChatSource(.given("x"), of: "acme"), Transcript())
        _ = source.read(Self.slice(#"{"choices":[{"delta":{},"finish_reason":"length"}]}"#), into: &transcript)
        #expect(source.end(into: &transcript) == nil && transcript.choices[0]?.reason == .length)
    }

    @Test func `A meter hears what it costs and a transcript what was said`() {
        var both = PairedSinks(Transcript(), UsageMeter())
        Self.tell(&both)
        #expect(both.second.total == TokenUsage(prompt: 3, completion: 4, total: 7) && both.second.isComplete)
        #expect(both.first.isWhole && both.first.isComplete)
        #expect(
            both.first.choices[0]?.text == Array("one two".utf8) && both.first.choices[1]?.refusal == Array("no".utf8))
    }

    @Test func `A transcript has a bound`() {
        var transcript = Transcript(limit: 5)
        transcript.begin(choice: 0)
        transcript.text(Self.slice("12345"), logprobs: nil, choice: 0)
        #expect(transcript.isWhole)
        transcript.text(Self.slice("6"), logprobs: nil, choice: 0)
        transcript.text(Self.slice(""), logprobs: nil, choice: 0)
        #expect(!transcript.isWhole && transcript.choices[0]?.text == Array("12345".utf8))
    }
}
