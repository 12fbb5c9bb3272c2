import NIOHTTP1
import ProxyAccounting
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// A request names one model, whoever reads it.
@Suite struct FormModelTests {
    private static let type = "multipart/form-data; boundary=b0"

    private static func part(_ head: String, _ content: String) -> String { "--b0\r\n\(head)\r\n\r\n\(content)\r\n" }
    private static let model = part(#"Content-Disposition: form-data; name="model""#, "up/m")
    private static let file = part(
        "Content-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\nContent-Type: audio/wav", "--b0x RIFF")

    private func look(_ form: String, type: String = Self.type) throws(Failure) -> NamedModel? {
        try NamedModel.look(in: Array(form.utf8), contentType: type)
    }

    @Test func `One field is found, wherever it stands`() throws {
        for form in [Self.model + Self.file, Self.file + Self.model, "preamble\r\n" + Self.model] {
            #expect(try look(form + "--b0--\r\n")?.name == "up/m")
            #expect(try look(form + "--b0")?.name == "up/m")
        }
    }

    /// What one server or another takes for the field.
    static let others = [
        #"Content-Disposition: form-data; name="model""#, "content-disposition: form-data; name=model",
        #"Content-Disposition: form-data; name='model'"#, #"Content-Disposition: form-data; name = "model""#,
        #"Content-Disposition: form-data;name="model""#, "Content-Disposition: form-data;\r\n name=\"model\"",
        #"Content-Disposition: form-data; name="mod\el""#, "Content-Disposition: form-data; name*=UTF-8''mod%65l",
        #"Content-Disposition: form-data; filename="x"; name="model""#,
        #"CONTENT-DISPOSITION: form-data; NAME="MODEL""#,
        "X: y\r\nContent-Disposition: form-data; name=\"model\"",
        // Some end a value at its quote.
        #"Content-Disposition: form-data; name="model"x"#, #"Content-Disposition: form-data; name="model" x"#,
        "Content-Disposition: form-data; name=\"model\"\tq=1", "Content-Disposition: form-data; name=\"model\"\u{0}",
        "Content-Disposition: form-data; name=\"mo\u{1}del\"",
    ]

    @Test(arguments: others)
    func `A second one is refused, however it is written`(head: String) throws {
        let other = Self.part(head, "up/secret")
        for form in [Self.model + other, Self.model + Self.file + other, other + Self.model] {
            #expect(throws: Failure.secondModelInForm) { try look(form + "--b0--\r\n") }
        }
        let lines = (Self.model + other).replacing(other, with: other.replacing("\r\n", with: "\n"))
        #expect(throws: Failure.secondModelInForm) { try look(lines) }
        let padded = Self.model + other.replacing("--b0\r\n", with: "--b0 \t\r\n")
        #expect(throws: Failure.secondModelInForm) { try look(padded) }
    }

    @Test(arguments: others)
    func `So it is where it comes later, in pieces of any length`(head: String) throws {
        let rest = Array((Self.file + Self.part(head, "up/secret") + "--b0--\r\n").utf8)
        for length in [1, 2, 3, 7, 50, 1000] {
            var watch = try #require(try look(Self.model + "--b0")?.watch)
            // What was there of the delimiter is the watch's.
            var found = false
            var place = 4
            while place < rest.count, !found {
                found = watch.finds(in: rest[place..<min(place + length, rest.count)])
                place += length
            }
            #expect(found, "in pieces of \(length)")
        }
    }

    @Test func `Other fields pass`() throws {
        let rest = Array(
            (Self.file + Self.part(#"Content-Disposition: form-data; name="model_name""#, "x")
                + Self.part(#"Content-Disposition: form-data; name="base_model""#, "x")
                + Self.part(#"Content-Disposition: form-data; name="language""#, "name=\"model\"") + "--b0--\r\n").utf8)
        for length in [1, 5, 64, 4000] {
            var watch = try #require(try look(Self.model + "--b0")?.watch)
            var place = 4
            while place < rest.count {
                let found = watch.finds(in: rest[place..<min(place + length, rest.count)])
                #expect(!found)
                place += length
            }
        }
    }

    @Test(arguments: [
        "multipart/form-data; boundary=b0; boundary=b1", "multipart/form-data; boundary*=b0",
        #"multipart/form-data; boundary="b\0""#, "multipart/form-data",
    ])
    func `A delimiter that servers may read differently is refused`(type: String) throws {
        #expect(throws: Failure.self) { try look(Self.model + "--b0--\r\n", type: type) }
    }

    // MARK: JSON

    @Test(arguments: [
        #"{"model":"up/m","Model":"secret","messages":[]}"#, #"{"MODEL":"secret","model":"up/m","messages":[]}"#,
        #"{"model":"up/m","\u004dodel":"secret","messages":[]}"#,
        #"{"model":"up/m","M\u004fdel":"secret","messages":[]}"#,
    ])
    func `A name in other letters is refused, as some servers take it`(body: String) throws {
        #expect(throws: Failure.self) { try PassThroughRequest(body: Array(body.utf8)) }
        #expect(throws: Failure.self) { try NamedModel(in: Array(body.utf8), contentType: "application/json") }
    }

    @Test(arguments: [
        #"{"model":"no","model":"up/m"}"#, #"{"mod\u0065l":"no","model":"up/m"}"#,
        #"{"model":"no","\u006dodel":"up/m"}"#, #"{"model":"up/m","models":1,"modes":2,"mOde":3}"#,
    ])
    func `Named twice alike, every reader finds the model that was judged`(body: String) throws {
        let named = try NamedModel(in: Array(body.utf8), contentType: "application/json")
        #expect(named.name == "up/m")
        let sent = String(decoding: named.body(naming: "m").bytes, as: UTF8.self)
        #expect(!sent.contains("no") && !sent.contains("up/m"))
    }

    @Test func `Nor can it in a list of other models`() async throws {
        var key = ClientKey.fixture
        try key.models.add("^up/(m|other)$")
        let bench = try ProviderBench(key) { _ in
            .json(200, #"{"choices":[{"index":0,"message":{"content":"x"},"finish_reason":"stop"}]}"#)
        }
        func status(_ models: String) async throws -> Int {
            try await bench.door.answer(
                toChat: #"{"model":"up/m","models":\#(models),"messages":[{"role":"user","content":"x"}]}"#
            ).status
        }
        #expect(try await status(#"["other","m"]"#) == 200)
        #expect(try await status(#"["other","secret"]"#) == 403)
        #expect(bench.transport.requests.count == 1)
    }

    @Test func `A key that is bound to models cannot name another one`() async throws {
        var key = ClientKey.fixture
        try key.models.add("^up/m$")
        let bench = try ProviderBench(key) { _ in .json(200, "{}") }
        func status(_ form: String) async throws -> Int {
            try await bench.door.answer(
                .POST, "/v1/audio/transcriptions?model=up/secret", form, headers: ["content-type": Self.type]
            ).status
        }
        #expect(try await status(Self.model + "--b0--\r\n") == 200)
        #expect(bench.transport.requests.first?.url.contains("secret") == false)
        #expect(try await status(Self.model + Self.model.replacing("up/m", with: "up/secret") + "--b0--\r\n") == 400)
        #expect(try await status(Self.model.replacing("up/m", with: "up/secret") + "--b0--\r\n") == 403)
        #expect(bench.transport.requests.count == 1)
    }
}
