import Foundation
import NIOCore
import NIOHTTP1
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// Requests for images, audio and moderations, which pass to a provider as they are.
@Suite(.timeLimit(.minutes(5))) struct ForwardTests {
    private static let form =
        "--b0\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\nContent-Type: audio/wav\r\n\r\nRIFF\r\nname=\"model\"\r\n--b1\r\n\0\r\n"
        + "--b0\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nup/whisper\r\n"
        + "--b0\r\nContent-Disposition: form-data; name=\"language\"\r\n\r\nen\r\n--b0--\r\n"

    @Test(arguments: [
        ("/v1/images/generations", #"{"prompt":"a cat", "model":"up/m"}"#, #"{"prompt":"a cat", "model":"m"}"#),
        ("/v1/moderations", #"{"input":"x","model":"up/m"}"#, #"{"input":"x","model":"m"}"#),
        ("/audio/speech", #"{"model":"up/m","input":"x","voice":"v"}"#, #"{"model":"m","input":"x","voice":"v"}"#),
    ])
    func `A request passes but for the model's name`(path: String, body: String, sent: String) async throws {
        let transport = FakeTransport(headers: ["content-type": "audio/mpeg"], body: "\u{0}\u{1}bytes")
        let answer = try await FrontDoor.provider(transport).answer(.POST, path, body)
        #expect(answer.status == 200 && answer.body == "\u{0}\u{1}bytes")
        let request = try #require(transport.requests.first)
        #expect(request.body.map { String(buffer: $0) } == sent)
        #expect(request.url == "http://127.0.0.1:9/v1/" + path.replacing("/v1/", with: "").replacing(/^\//, with: ""))
    }

    @Test func `A form passes but for the model's name`() async throws {
        let transport = FakeTransport(body: #"{"text":"x"}"#)
        let answer = try await FrontDoor.provider(transport).answer(
            .POST, "/v1/audio/transcriptions", Self.form,
            headers: ["content-type": "multipart/form-data; boundary=\"b0\""])
        #expect(answer.status == 200 && answer.body == #"{"text":"x"}"#)
        let request = try #require(transport.requests.first)
        #expect(request.body.map { String(buffer: $0) } == Self.form.replacing("up/whisper", with: "whisper"))
        #expect(request.headers["content-type"] == [#"multipart/form-data; boundary="b0""#])
    }

    @Test(arguments: [
        ("multipart/form-data", "x"), ("multipart/form-data; boundary=b0", "--b0\r\n"),
        ("multipart/form-data; boundary=b0", ""),
        (
            "multipart/form-data; boundary=b0",
            "--b0\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nx\r\n--b0--"
        ),
        ("application/json", "{}"), ("application/json", "--b0"),
        ("application/x-www-form-urlencoded", "model=up/m"),
    ])
    func `What names no model is refused`(type: String, body: String) async throws {
        let transport = FakeTransport(body: "{}")
        let answer = try await FrontDoor.provider(transport).answer(
            .POST, "/v1/audio/transcriptions", body, headers: ["content-type": type])
        #expect(answer.status == 400 && transport.requests.isEmpty, "\(answer.body)")
    }

    @Test func `What is no such call is not there, and a model of OCI has none`() async throws {
        let transport = FakeTransport(body: "{}")
        for path in ["/v1/images/x", "/v1/audio/speech/y", "/v1/audio/..%2Fchat"] {
            #expect(try await FrontDoor.provider(transport).answer(.POST, path, #"{"model":"up/m"}"#).status == 404)
        }
        let answer = try await FrontDoor.fixture().answer(.POST, "/v1/images/generations", #"{"model":"grok-4"}"#)
        #expect(answer.status == 400 && answer.body.contains("unsupported_model"), "\(answer.body)")
    }
}
