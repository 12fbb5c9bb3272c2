import LedgerTestSupport
import NIOCore
import NIOHTTP1
import ProxyAccounting
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// What pictures, sound and moderations use of what a key may use.
@Suite(.timeLimit(.minutes(5))) struct ForwardChargeTests {
    private static let prices = Prices(
        PriceTable([
            PriceTable.Entry(
                name: "up/m", price: .tokens(TokenPrice(.init(input: 5_000_000, output: 40_000_000))),
                origin: .configuration, source: ""),
            PriceTable.Entry(
                name: "up/tts", price: .characters(input: 15_000_000, output: 15_000_000), origin: .configuration,
                source: ""),
        ]))

    private static func key(_ change: (inout KeyLimits) -> Void = { _ in }) -> ClientKey {
        var key = ClientKey.fixture
        change(&key.limits)
        return key
    }

    private static let image = #"{"model":"up/m","prompt":"a cat","quality":"low"}"#
    private static let usage = #""usage":{"input_tokens":50,"output_tokens":272,"total_tokens":322}"#

    private static let cost: NanoDollars = 50 * 5_000 + 272 * 40_000

    private static let form =
        "--b0\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nup/m\r\n"
        + "--b0\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\nRIFF\r\n--b0--\r\n"
    private static let formType: HTTPHeaders = ["content-type": "multipart/form-data; boundary=b0"]

    @Test(
        arguments: [
            (
                "/v1/images/generations", image, [:],
                TransportResponse.json(200, #"{"data":[{"b64_json":"x"}],\#(usage)}"#)
            ),
            ("/v1/images/edits", form, formType, .json(200, #"{"data":[{"b64_json":"x"}],\#(usage)}"#)),
            (
                "/v1/images/generations", image, [:],
                .stream([
                    #"{"type":"image_generation.partial_image"}"#, #"{"type":"image_generation.completed",\#(usage)}"#,
                ])
            ),
            ("/v1/audio/transcriptions", form, formType, .json(200, #"{"text":"x",\#(usage)}"#)),
            (
                "/v1/audio/transcriptions", form, formType,
                .stream([
                    #"{"type":"transcript.text.delta","delta":"x"}"#, #"{"type":"transcript.text.done",\#(usage)}"#,
                ])
            ),
            (
                "/v1/audio/speech", #"{"model":"up/m","input":"x","voice":"v","stream_format":"sse"}"#, [:],
                .stream([#"{"type":"speech.audio.done",\#(usage)}"#])
            ),
            ("/v1/moderations", #"{"model":"up/m","input":"x"}"#, [:], .json(200, #"{"results":[],\#(usage)}"#)),
        ] as [(String, String, HTTPHeaders, TransportResponse)])
    func `What an answer tells is charged and written down`(
        path: String, body: String, headers: HTTPHeaders, response: TransportResponse
    ) async throws {
        let bench = try ProviderBench(
            Self.key { $0.hardBudgets = [Budget(.tokens(5000), per: .total)] }, prices: Self.prices
        ) { _ in response }
        #expect(try await bench.door.answer(.POST, path, body, headers: headers).status == 200)
        let row = try #require(bench.ledger.entries.first)
        #expect(row.usage.truth == .reported)
        #expect(row.usage.prompt == 50)
        #expect(row.usage.completion == 272)
        #expect(row.cost == Self.cost)
        #expect(row.chargedTokens == 322)
        let told = try await bench.door.answer(.GET, "/v1/usage").body
        #expect(told.contains(#""spent":322,"reserved":0"#), "\(told)")
    }

    @Test(arguments: [
        ("/v1/images/generations", image, "application/json", #"{"data":[{"url":"x"}]}"#),
        ("/v1/audio/speech", #"{"model":"up/m","input":"x"}"#, "audio/mpeg", "\u{0}\u{1}"),
        (
            "/v1/audio/transcriptions", #"{"model":"up/m"}"#, "application/json",
            #"{"text":"x","usage":{"type":"duration","seconds":3}}"#
        ),
        ("/v1/moderations", #"{"model":"up/m","input":"x"}"#, "application/json", #"{"results":[]}"#),
    ])
    func `What nobody tells is not known, and is not charged`(
        path: String, body: String, type: String, answer: String
    ) async throws {
        let bench = try ProviderBench(
            Self.key { $0.hardBudgets = [Budget(.tokens(5000), per: .total)] }, prices: Self.prices
        ) { _ in TransportResponse(status: 200, headers: ["content-type": type], body: .fed([answer])) }
        #expect(try await bench.door.answer(.POST, path, body).status == 200)
        let row = try #require(bench.ledger.entries.first)
        #expect(row.usage == LedgerUsage())
        #expect(row.cost == nil)
        #expect(row.attempts.first?.usage == LedgerUsage())
        #expect(try await bench.door.answer(.GET, "/v1/usage").body.contains(#""spent":0,"reserved":0"#))
    }

    @Test func `A spent budget refuses the next one`() async throws {
        for budget in [Budget(.tokens(322), per: .day), Budget(.money(Self.cost), per: .day)] {
            let bench = try ProviderBench(Self.key { $0.hardBudgets = [budget] }, prices: Self.prices) { _ in
                .json(200, #"{"data":[],\#(Self.usage)}"#)
            }
            #expect(try await bench.door.answer(.POST, "/v1/images/generations", Self.image).status == 200)
            for path in ["images/generations", "images/edits", "audio/speech", "audio/transcriptions", "moderations"] {
                let refused = try await bench.door.answer(.POST, "/v1/" + path, Self.image)
                #expect(refused.status == 429 && refused.body.contains("budget_exceeded"), "\(path): \(refused.body)")
            }
            #expect(bench.transport.requests.count == 1)
        }
    }

    @Test(arguments: [
        (#"{"model":"m","prompt":"a cat"}"#, "/images/generations", 6300),
        (#"{"model":"m","n":3}"#, "/images/generations", 18_900),
        (#"{"model":"m","n":3,"quality":"low"}"#, "/images/generations", 1200),
        (#"{"model":"m","n":-3,"quality":"medium"}"#, "/images/edits", 1600),
        (#"{"model":"m","n":9223372036854775807,"quality":"high"}"#, "/images/generations", 630_000),
        (#"{"model":"m","n":1e300}"#, "/images/generations", 6300), (#"{"model":"m","input":"x"}"#, "/moderations", 0),
    ])
    func `What is asked for is reserved`(body: String, path: String, completion: Int64) throws {
        let named = try NamedModel(in: Array(body.utf8), contentType: "application/json")
        let estimate = UsageEstimate(forwarding: named.size, to: path, body: body.utf8.count, countsCharacters: false)
        #expect(estimate.prompt == Int64((body.utf8.count + 3) / 4))
        #expect(estimate.completion == completion)
    }

    @Test func `A picture in a request is what models take it for`() throws {
        let picture = String(repeating: "iVBORw0K", count: 10_000)
        for url in [picture, "data:image/png;base64," + picture] {
            let body = #"{"model":"m","prompt":"x","image":"\#(url)","more":[{"image_url":"\#(url)"}]}"#
            let prompt = try #require(try NamedModel(in: Array(body.utf8), contentType: "application/json").size.prompt)
            #expect((3000..<3100).contains(prompt))
        }
    }

    @Test func `Speech that is billed by characters costs those of its text`() async throws {
        let bench = try ProviderBench(
            Self.key { $0.hardBudgets = [Budget(.money(1_000_000_000), per: .total)] }, prices: Self.prices
        ) { _ in TransportResponse(status: 200, headers: ["content-type": "audio/mpeg"], body: .fed(["\u{0}"])) }
        let body = #"{"model":"up/tts","input":"Grüße!","voice":"v"}"#
        #expect(try await bench.door.answer(.POST, "/v1/audio/speech", body).status == 200)
        let row = try #require(bench.ledger.entries.first)
        #expect(row.usage.truth == .estimated)
        #expect(row.usage.prompt == nil)
        #expect(row.usage.charactersIn == 6)
        #expect(row.cost == 90_000)
        #expect(row.chargedCost == 90_000)
        #expect(row.chargedTokens == 0)
    }

    /// Else a client that leaves before the last event would have its pictures for nothing.
    @Test func `Who leaves before the usage is told is charged by what was reserved`() async throws {
        let bench = try ProviderBench(prices: Self.prices) { _ in
            let feed = FakeTransport.Feed()
            feed.send("data: {\"type\":\"image_generation.partial_image\"}\n\n")
            feed.end(throwing: CancellationError())
            return TransportResponse(status: 200, headers: ["content-type": "text/event-stream"], body: feed.body)
        }
        _ = try await bench.door.answer(.POST, "/v1/images/generations", Self.image)
        let row = try #require(bench.ledger.entries.first)
        let attempt = try #require(row.attempts.first)
        #expect(attempt.outcome == "abandoned")
        #expect(row.usage.truth == .estimated)
        #expect(row.usage.prompt == Int64((Self.image.utf8.count + 3) / 4))
        #expect(row.usage.completion == 400)
        #expect(row.chargedTokens > 400)
    }

    @Test func `A refusal costs nothing`() async throws {
        let bench = try ProviderBench(Self.key { $0.hardBudgets = [Budget(.tokens(5000), per: .total)] }) { _ in
            .json(400, #"{"error":{"message":"no"}}"#)
        }
        #expect(try await bench.door.answer(.POST, "/v1/images/generations", Self.image).status == 400)
        #expect(bench.ledger.entries.first?.usage == LedgerUsage())
        #expect(try await bench.door.answer(.GET, "/v1/usage").body.contains(#""spent":0,"reserved":0"#))
    }
}
