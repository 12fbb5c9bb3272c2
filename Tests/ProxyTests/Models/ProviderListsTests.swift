import NIOHTTP1
import ProxyTestSupport
import Synchronization
import Testing

@testable import Proxy
@testable import ProxyRouting

/// Embeddings and reranks of providers: what is passed on is whole, or another provider is asked.
@Suite struct ProviderListsTests {
    /// A job at a pool of two providers, of which the first answers `body`.
    private func pass(_ action: OpenAIAction, _ body: String, then second: String) async throws -> (
        answer: String, calls: Int
    ) {
        let calls = Mutex(0)
        let transport = FakeTransport { _ in
            let count = calls.withLock {
                $0 += 1
                return $0
            }
            return TransportResponse(status: 200, headers: [:], body: ResponseBody.fed([count == 1 ? body : second]))
        }
        let time = ManualTime()
        let providers = try (0..<2).map { number in
            let settings = ProviderSettings(
                id: "p\(number)", name: "p", baseURL: try #require(BaseURL("http://127.0.0.1:1")),
                token: Secret("sk-secret"))
            return Provider(settings, transport: transport, time: time.source)
        }
        let router = Router(
            providers.map { ($0 as any Backend, Upstream.Settings()) }, limits: .init(concurrency: 9, queue: 9),
            strategy: RoundRobin(), time: time.source, random: { 0.5 },
            logger: .silent)
        let directory = ModelDirectory(
            aliases: [], accounts: router.upstreams.map { ModelCatalog.Account($0.backend) }, time: time.source)
        _ = directory.update([0: [ModelSummary(ofProvider: "m")], 1: [ModelSummary(ofProvider: "m")]])
        let texts = TextCalls(
            directory: directory, failover: Failover(router: router, retryAttempts: 1), requestLimit: .seconds(30),
            answerLimit: 1 << 20, time: time.source)
        let request = try PassThroughRequest(
            body: Array(#"{"model":"p/m","input":"x","query":"x","documents":["y"]}"#.utf8))
        let purpose: ModelSummary.Purpose = action == .rerank ? .rerank : .embeddings
        let job = TextCalls.Job(
            purpose: purpose, target: try directory.catalog.resolve("p/m", for: purpose, by: nil),
            arrival: time.source.now(),
            deadline: time.source.now() + .seconds(30), client: "",
            trace: RequestTrace(), estimate: nil, pricing: nil)
        let answer = try await texts.pass(request, as: action, for: job)
        return (String(decoding: answer, as: UTF8.self), calls.withLock { $0 })
    }

    private static let embeddings =
        #"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.1,0.2]}],"model":"m","usage":{"prompt_tokens":1,"total_tokens":1}}"#
    private static let rerank = #"{"results":[{"index":0,"relevance_score":0.5}],"model":"m"}"#

    @Test(arguments: [
        #"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.1,0.2"#, "<html>login</html>", "",
        "[]", "null", "{}", #"{"data":{}}"#, #"{"data":"x"}"#, #"{"data":null}"#,
        #"{"data":[]}x"#, #"{"data":[1 2]}"#, #"{"data":[nul]}"#, #"{"error":{"message":"boom"}}"#,
        #"{"data":null,"error":"boom","results":1}"#, "{\"data\":[\"\u{0}\"]}",
    ])
    func `What is no answer is asked for elsewhere`(body: String) async throws {
        for (action, whole) in [(OpenAIAction.embeddings, Self.embeddings), (.rerank, Self.rerank)] {
            let (answer, calls) = try await pass(action, body, then: whole)
            #expect(answer == whole.replacing(#""model":"m""#, with: #""model":"p/m""#) && calls == 2)
            let error = await #expect(throws: Failure.self) { try await pass(action, body, then: body) }
            #expect(error?.status == 502)
            if !body.contains("boom") { #expect(error?.code == "upstream_invalid_answer") }
        }
    }

    /// A text of one sign, or of blanks (lfnovo/esperanto#136, huggingface/text-embeddings-inference#51, ENTERPILOT/GoModel#406).
    @Test(arguments: ["null", "[]", "[null,null]", "[null,0.5]", #""""#])
    func `A text without a vector is named`(vector: String) async throws {
        let body =
            #"{"object":"list","data":[{"index":0,"embedding":[0.5]},{"index":1,"embedding":\#(vector)}],"model":"m"}"#
        let error = await #expect(throws: Failure.self) { try await pass(.embeddings, body, then: Self.embeddings) }
        #expect(
            error?.status == 502 && error?.param == "input[1]" && error?.forbidsRetry == true
                && error?.message.contains("no vector for text 1") == true)
    }

    /// Without usage (agentgateway/agentgateway#2451), in base64, by kind, and with what is unknown here.
    @Test(arguments: [
        #"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5]}],"model":"m"}"#,
        #"{"data":[{"embedding":"AAAAPw=="}],"model":"m"}"#,
        #"{"data":[{"embedding":{"float":[0.5]}}],"model":"m"}"#,
        #"{"data":[{"sparse_embedding":{"1":0.5}}],"model":"m"}"#,
    ])
    func `What every client reads passes`(body: String) async throws {
        #expect(try await pass(.embeddings, body, then: "").calls == 1)
    }

    @Test func `A whole answer passes as it is`() async throws {
        let (answer, calls) = try await pass(.embeddings, Self.embeddings, then: "")
        #expect(answer == Self.embeddings.replacing(#""model":"m""#, with: #""model":"p/m""#) && calls == 1)
        for answer in [Self.rerank, #"{"data":[{"index":0}],"model":"m"}"#, #"{"results":[]}"#] {
            #expect(try await pass(.rerank, answer, then: "").calls == 1)
        }
        // An embedding has its list in `data` alone.
        #expect(try await pass(.embeddings, Self.rerank, then: Self.embeddings).calls == 2)
    }

    @Test func `A token in an error is taken out`() async throws {
        let error = await #expect(throws: Failure.self) {
            try await pass(
                .embeddings, #"{"error":{"message":"no sk-secret"}}"#, then: #"{"error":{"message":"no sk-secret"}}"#)
        }
        #expect(error?.message.contains("sk-secret") == false)
    }
}
