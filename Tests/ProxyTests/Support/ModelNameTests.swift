import NIOHTTP1
import Testing

@testable import Proxy
@testable import ProxyRouting

/// A model's name is bounded in bytes before anything looks at it: one character may have any number of marks.
@Suite struct ModelNameTests {
    private static let marks = String(repeating: "\u{301}", count: 15_000)

    private static func bodies(_ model: String) -> [(String, ([UInt8]) throws(Failure) -> String)] {
        [
            (
                #"{"model":"\#(model)","messages":[{"role":"user","content":"x"}]}"#,
                { body throws(Failure) in try ChatRequest.parse(body).model }
            ),
            (#"{"model":"\#(model)"}"#, { body throws(Failure) in try PassThroughRequest(body: body).model }),
            (
                #"{"model":"\#(model)","input":"x"}"#,
                { body throws(Failure) in try EmbeddingsRequest.parse(body).model }
            ),
            (
                #"{"model":"\#(model)","query":"x","documents":["y"]}"#,
                { body throws(Failure) in try RerankRequest.parse(body).model }
            ),
        ]
    }

    @Test(arguments: [
        "a" + marks, String(repeating: "a", count: 257), String(repeating: "é", count: 129),
        String(repeating: #"\u0061"#, count: 257), String(repeating: #"\\"#, count: 257),
        String(repeating: "a", count: 2 << 20),
    ])
    func `A long name is refused and not repeated`(model: String) {
        for (body, read) in Self.bodies(model) {
            let error = #expect(throws: Failure.self) { try read(Array(body.utf8)) }
            #expect(error?.status == 400 && error?.param == "model" && error?.code == "invalid_value")
            #expect((error?.message.utf8.count ?? 1000) < 200)
        }
    }

    @Test(arguments: [
        String(repeating: "a", count: 256), String(repeating: #"\u0061"#, count: 256),
        "é" + String(repeating: "\u{301}", count: 127), "\u{301}",
    ])
    func `One of the greatest length is taken`(model: String) throws {
        for (body, read) in Self.bodies(model) { #expect(try read(Array(body.utf8)).utf8.count <= 256) }
    }

    @Test func `White space is no name`() {
        for model in ["", " ", "\u{3000}", #"\n\t"#, "\u{2028}"] {
            for (body, read) in Self.bodies(model) {
                #expect(
                    #expect(throws: Failure.self) { try read(Array(body.utf8)) }?.code == "missing_required_parameter")
            }
        }
    }

    @Test func `The catalogue refuses it as well and says little`() {
        let catalog = ModelCatalog(aliases: [("grok-4", "xai.grok-4")])
        for name in [
            "a" + Self.marks, "xai." + String(repeating: "a", count: 12_000), String(repeating: "é", count: 128) + "x",
        ] {
            for error in [
                #expect(throws: Failure.self) { try catalog.resolve(name) },
                #expect(throws: Failure.self) { try catalog.resolve(name, for: .chat, by: nil) },
            ] {
                #expect(error?.status == 404)
                #expect((error?.message.utf8.count ?? 1000) < 200 + 100)
            }
        }
    }

    @Test(arguments: [
        ("abc", 3, "abc"), ("abc", 2, "ab"), ("aé", 2, "a"), ("aé", 3, "aé"), ("a😀b", 4, "a"), ("a😀b", 5, "a😀"),
        ("e\u{301}", 1, "e"), ("é", 1, ""), ("", 0, ""), ("a", 0, ""),
    ])
    func `Texts are cut at the border of a scalar`(text: String, limit: Int, cut: String) {
        #expect(Array(text.cut(toBytes: limit).utf8) == Array(cut.utf8))
    }

    @Test func `No message repeats more than two hundred bytes`() {
        let long = "/a" + String(repeating: "\u{301}", count: 4000)
        for error in [
            Failure.unknownPath(long), .methodNotAllowed(.init(rawValue: long), allowed: [.GET]), .unservedModel(long),
            .unknownModel(long, near: []),
            .unsupportedModel(long, for: .chat, others: []),
        ] {
            #expect(error.message.utf8.count < 500)
            #expect(error.body.count < 1000)
        }
    }
}
