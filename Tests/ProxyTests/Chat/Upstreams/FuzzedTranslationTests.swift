import Foundation
import NIOCore
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// Every translator and reader with damaged documents: what comes out is well formed or an error of the right side.
///
/// `MutatedAnswerTests`, `CohereOdditiesTests`, `EmbedTests` and `GenericRequestWriterTests` do the same with rules of their own.
@Suite struct FuzzedTranslationTests {
    private static let clients = Golden.cases("clients")
    private static let chats = clients.filter { ($0.object["messages"] as? [Any]) != nil }
    private static let envelope = ChunkEnvelope(id: "chatcmpl-x", created: 1_700_000_000, model: "m")
    private static let models = [
        "xai.grok-4", "meta.llama-3.3-70b-instruct", "google.gemini-2.5-flash", "openai.gpt-5",
        "cohere.command-r-plus-08-2024", "cohere.command-a-03-2025",
        "cohere.command-a-vision-07-2025", "cohere.command-a-reasoning-08-2025",
    ]

    private func damaged(_ cases: [Golden.Case], _ random: inout SplitMix64) throws -> [UInt8] {
        Fuzz.damage(Array(try #require(cases.randomElement(using: &random)).data), with: Fuzz.json, &random)
    }

    /// Runs one translation. An error must be the client's own, in words.
    private func expectDocumentOrRefusal(_ translate: () throws -> [UInt8]) throws {
        do {
            let document = try translate()
            #expect(throws: Never.self, "\(String(decoding: document, as: UTF8.self))") { try Golden.parse(document) }
        } catch let error as Failure {
            #expect((400...499).contains(error.status) && !error.message.isEmpty)
            #expect(throws: Never.self) { try Golden.parse(error.body) }
        }
    }

    @Test(arguments: Fuzz.seeds(400))
    func `A damaged chat is a document or a refusal`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let bytes = try damaged(Self.chats, &random)
        for model in Self.models {
            let target = ChatTarget(
                serving: ServingMode(id: model), modelID: model, defaultMaxTokens: 4000,
                isStreaming: Bool.random(using: &random))
            try expectDocumentOrRefusal {
                let chat = try ChatRequest.parse(bytes)
                return try Dialect(APIFormat(modelID: model), for: chat).details(of: chat, for: target).document(
                    in: "ocid1.c"
                ).bytes
            }
            try expectDocumentOrRefusal { try OpenAIOnOCI.body(of: RequestField(body: bytes), for: target).bytes }
        }
        try expectDocumentOrRefusal {
            try PassThroughRequest(body: bytes).body(model: "up\"stream", isStreaming: false).bytes
        }
    }

    @Test(arguments: Fuzz.seeds(300))
    func `A damaged embeddings or rerank request is a document or a refusal`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let embeddings = try damaged(Self.clients.filter { $0.name.contains("embeddings") }, &random)
        do throws(Failure) {
            let model = "cohere.embed-v4.0"
            for batch in try OpenAIToEmbed.translate(
                try EmbeddingsRequest.parse(embeddings), to: .onDemand(modelID: model), modelID: model)
            {
                #expect(throws: Never.self) { try Golden.parse(batch.details.document(in: "c").bytes) }
            }
        } catch {
            #expect((400...499).contains(error.status))
        }
        let rerank = try damaged(Self.clients.filter { $0.name.contains("rerank") }, &random)
        try expectDocumentOrRefusal {
            OpenAIToRerank.translate(try RerankRequest.parse(rerank), to: .onDemand(modelID: "x")).document(in: "c")
                .bytes
        }
    }

    @Test(arguments: Fuzz.seeds(300))
    func `A damaged ranking is an answer or an upstream's error`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let request = try RerankRequest.parse(Array(#"{"model":"m","query":"q","documents":["Paris","Rome"]}"#.utf8))
        let body = Fuzz.damage(
            Array(
                #"{"id":"r","documentRanks":[{"index":1,"relevanceScore":0.9,"document":{"text":"Rome"}},{"index":0,"relevanceScore":1e-05}],"usage":{"promptTokens":5,"totalTokens":5}}"#
                    .utf8),
            with: Fuzz.json + ["-1", "2", "1.5"], &random)
        do throws(Failure) {
            let answer = try RerankToOpenAI.translate(body, to: request, id: "rerank-1")
            #expect(throws: Never.self) { try Golden.parse(answer.body) }
        } catch {
            #expect((500...504).contains(error.status))
        }
    }

    private static let dialects: [(dialect: Dialect, answers: [Golden.Case], streams: [Golden.Case])] = [
        (.generic, Golden.cases("oci/chat", "resp_generic"), Golden.cases("oci/chat", "stream_generic")),
        (
            .cohere(CohereToolNames([])), Golden.cases("oci/chat", "resp_cohere_"),
            Golden.cases("oci/chat", "stream_cohere_")
        ),
        (.cohereV2, Golden.cases("oci/chat", "resp_coherev2"), Golden.cases("oci/chat", "stream_coherev2")),
    ]

    @Test(arguments: Fuzz.seeds(300))
    func `A damaged answer is an answer or an upstream's error`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        for (dialect, answers, _) in Self.dialects {
            let golden = try #require(answers.randomElement(using: &random)).object
            let whole = try JSONSerialization.data(
                withJSONObject: try #require(golden["oci_response"]), options: .sortedKeys)
            let body = Fuzz.damage(Array(whole), with: Fuzz.json, &random)
            do throws(Failure) {
                let answer = try dialect.answer(body, in: Self.envelope)
                #expect(throws: Never.self) { try Golden.parse(answer.body) }
            } catch {
                #expect((400...599).contains(error.status) && !error.message.isEmpty)
            }
            do throws(Failure) {
                try expectWholeStream(try dialect.frames(of: body, in: Self.envelope, includesUsage: true).frames)
            } catch {
                #expect((400...599).contains(error.status))
            }
        }
    }

    /// Whatever comes in a stream, and however it is cut, what goes out obeys the rules.
    @Test(arguments: Fuzz.seeds(300))
    func `A damaged stream obeys the rules`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        for (dialect, _, streams) in Self.dialects {
            let text = try #require(streams.randomElement(using: &random)).object["oci_sse"] as? String ?? ""
            let bytes = Fuzz.damage(
                Array(text.utf8), with: Fuzz.json + ["data: ", "\n\n", "\r\n", "data: [DONE]\n\n", "event: error\n"],
                &random)
            // Half an escaped emoji goes through as it came; Foundation, which judges here, takes none.
            guard bytes.firstRange(of: Array(#"\ud"#.utf8)) == nil else { continue }
            let whole = try StreamRun([bytes[...]], of: dialect)
            let cut = try StreamRun(Fuzz.pieces(of: bytes, &random), of: dialect)
            let (chunks, done) = try whole.chunks()
            try ChunkRules.check(chunks, done: done)
            #expect(whole.error == cut.error && whole.frames == cut.frames && whole.usage == cut.usage)
        }
    }

    @Test(arguments: Fuzz.seeds(300))
    func `A damaged answer of a provider is an answer or an upstream's error`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let golden = try #require(Golden.cases("oci/chat", "resp_generic").randomElement(using: &random)).object
        let whole = try JSONSerialization.data(
            withJSONObject: try #require(golden["openai_response"]), options: .sortedKeys)
        let body = Fuzz.damage(Array(whole), with: Fuzz.json, &random)
        do throws(Failure) {
            let answer = try PassThroughResponse.read(body, model: "mine", upstream: "acme")
            #expect(throws: Never.self) { try Golden.parse(answer.body) }
        } catch {
            #expect((400...599).contains(error.status) && !error.message.isEmpty)
        }
        do throws(Failure) {
            let told = try PassThroughResponseAsStream.frames(
                of: body, upstream: "acme", in: Self.envelope.naming("mine"), includesUsage: true)
            // What a provider calls its reasons and roles is its own business.
            try expectWholeStream(told.frames, obeysRules: false)
        } catch {
            #expect((400...599).contains(error.status))
        }
        for status in [400, 401, 404, 429, 500, 503] {
            let errors = [
                ProviderErrorReader.translate(status: status, retryAfter: nil, body: body, upstream: "acme"),
                OCIErrorReader.translate(status: status, retryAfter: nil, body: body, account: "a"),
            ]
            for error in errors {
                #expect((400...599).contains(error.status) && !error.message.isEmpty)
                #expect(throws: Never.self) { try Golden.parse(error.body) }
            }
        }
    }

    /// Events of one line each that end in `[DONE]`.
    private func expectWholeStream(_ frames: [UInt8], obeysRules: Bool = true) throws(Failure) {
        #expect(throws: Never.self) {
            var run = try StreamRun([])
            run.frames = frames
            let (chunks, done) = try run.chunks()
            #expect(done)
            if obeysRules { try ChunkRules.check(chunks, done: done) }
        }
    }

    /// Lines as bytes, cut anywhere.
    @Test(arguments: Fuzz.seeds(300))
    func `How an event stream is cut means nothing`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let text = "data: {\"a\":1}\n\nevent: x\r\ndata:{}\r\n\r\n: comment\nid: 7\ndata: last\n\ndata: [DONE]\n\n"
        let bytes = Fuzz.damage(
            Array(text.utf8),
            with: [
                "\n", "\r", "\r\n", "data:", "data: ", ":", "\u{FEFF}", "é", "\u{0}",
                String(repeating: "x", count: 300),
            ], upTo: 12, &random)
        func events(_ pieces: [ArraySlice<UInt8>]) -> ([[UInt8]], Bool) {
            var parser = SSEParser(limit: 200)
            var events: [[UInt8]] = []
            do throws(SSEParser.LineTooLong) {
                for piece in pieces {
                    parser.feed(piece)
                    while let event = try parser.next() { events.append(Array(event)) }
                }
            } catch {
                return (events, false)
            }
            if let event = parser.end() { events.append(Array(event)) }
            return (events, true)
        }
        let whole = events([bytes[...]])
        let cut = events(Fuzz.pieces(of: bytes, &random))
        #expect(whole.0 == cut.0 && whole.1 == cut.1)
        #expect(whole.0.allSatisfy { !$0.contains(10) && !$0.isEmpty })
    }
}
