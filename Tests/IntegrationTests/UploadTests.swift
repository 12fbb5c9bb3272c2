import Foundation
import NIOCore
import NIOHTTP1
import OCISimulator
import Testing

/// Forms with files pass to their provider while they come.
@Suite(.timeLimit(.minutes(5))) struct UploadTests {
    private static let field = "--b0\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\naudio/whisper\r\n"
    private static let named = "--b0\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper\r\n"
    private static let file =
        "--b0\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\nContent-Type: audio/wav\r\n\r\n"

    /// Text that nowhere repeats itself soon, so that a piece that is lost or doubled shows.
    private static func sound(_ bytes: Int) -> String {
        var text = ""
        text.reserveCapacity(bytes + 8)
        var number = 0
        while text.utf8.count < bytes {
            text += "\(number) "
            number += 1
        }
        return text
    }

    private static func head(_ length: Int?) -> String {
        "POST /v1/audio/transcriptions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(RunningProxy.key)\r\n"
            + "Content-Type: multipart/form-data; boundary=b0\r\n"
            + (length.map { "Content-Length: \($0)\r\n\r\n" } ?? "Transfer-Encoding: chunked\r\n\r\n")
    }

    private func run(
        _ manner: UploadServer.Manner = .takes, settings: String = "",
        _ body: (RunningProxy, UploadServer) async throws -> Void
    ) async throws {
        let server = try await UploadServer.start(manner)
        let other = try await FakeProvider.start()
        let section = "[PROVIDER_9]\nprovider = audio\nbaseurl = \(server.url)\ntoken = sk-9\nmodel_list = whisper\n"
        do {
            try await RunningProxy.run(providers: ["up": other], settings: settings, sections: section) { proxy in
                try await body(proxy, server)
            }
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    private static func residentKiB(_ proxy: RunningProxy) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(proxy.pid)/status", encoding: .utf8)
        return Int(try #require(status.firstMatch(of: /VmHWM:\s+(\d+) kB/)?.1)) ?? 0
    }

    @Test(arguments: [true, false]) func `A large form passes whole, and is not kept`(isAnnounced: Bool) async throws {
        try await run(settings: "max_body_memory = 16 MiB") { proxy, server in
            let before = try Self.residentKiB(proxy)
            let rest = Self.file + Self.sound(24 << 20) + "\r\n--b0--\r\n"
            let connection = try await proxy.connect()
            if isAnnounced {
                let form = Self.field + rest
                connection.send(Self.head(form.utf8.count) + form)
            } else {
                connection.send(Self.head(nil))
                for piece in [Self.field, rest] {
                    connection.send(String(piece.utf8.count, radix: 16) + "\r\n" + piece + "\r\n")
                }
                connection.send("0\r\n\r\n")
            }
            let answer = try await connection.answer()
            #expect(answer.status == 200 && answer.body == #"{"text":"heard"}"#, "\(answer.body)")
            let upload = try #require(server.uploads.last)
            #expect(upload.isComplete && upload.body == Array((Self.named + rest).utf8))
            #expect(upload.head.headers["authorization"] == ["Bearer sk-9"])
            #expect(upload.head.headers["content-length"].isEmpty != isAnnounced)
            #expect(try Self.residentKiB(proxy) - before < 16 << 10)
            // The connection goes on.
            connection.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try await connection.answer().status == 200)
            try await eventually("the line of the log") { proxy.log.contains("path=/v1/audio/transcriptions") }
        }
    }

    @Test func `A model that is named behind its file is found`() async throws {
        try await run { proxy, server in
            let sound = Self.sound(1 << 20)
            let form = Self.file + sound + "\r\n" + Self.field + "--b0--\r\n"
            let connection = try await proxy.connect()
            connection.send(Self.head(form.utf8.count) + form)
            #expect(try await connection.answer().status == 200)
            #expect(server.uploads.last?.body == Array((Self.file + sound + "\r\n" + Self.named + "--b0--\r\n").utf8))
        }
        try await run(settings: "max_body_memory = 16 MiB") { proxy, server in
            // One that is alone is let in whatever its length; beside another it is not.
            let stalled = try await proxy.connect()
            stalled.send(Self.head(200_000) + Self.file)
            let form = Self.file + Self.sound(5 << 20) + "\r\n" + Self.field + "--b0--\r\n"
            let connection = try await proxy.connect()
            connection.send(Self.head(form.utf8.count) + form)
            let answer = try await connection.answer()
            #expect(answer.status == 503 && answer.body.contains("before the file"), "\(answer.body)")
            stalled.close()
        }
    }

    @Test func `A refusal is told while the form still comes`() async throws {
        try await run(.refuses(status: 400, after: 200_000)) { proxy, server in
            let connection = try await proxy.connect()
            connection.send(Self.head(20 << 20) + Self.field + Self.file + Self.sound(1 << 20))
            let answer = try await connection.answer()
            #expect(answer.status == 400 && answer.body.contains("not this file"), "\(answer.body)")
            #expect(answer.headers["connection"] == "close")
            #expect(server.uploads.count == 1)
        }
    }

    @Test func `Nobody is sent half a form after another`() async throws {
        try await run(.refuses(status: 503, after: 200_000)) { proxy, server in
            let connection = try await proxy.connect()
            let form = Self.field + Self.file + Self.sound(2 << 20) + "\r\n--b0--\r\n"
            connection.send(Self.head(form.utf8.count) + form)
            #expect(try await connection.answer().status >= 500)
            #expect(server.uploads.count == 1)
        }
    }

    @Test func `A provider that reads no more holds the client back`() async throws {
        try await run(.stalls(after: 200_000)) { proxy, server in
            let before = try Self.residentKiB(proxy)
            let connection = try await proxy.connect()
            connection.send(Self.head(30 << 20) + Self.field + Self.file + Self.sound(29 << 20))
            try await eventually("the upload has begun") { server.uploads.last?.body.count ?? 0 >= 200_000 }
            // All that the sockets between take is there.
            var (size, steady) = (0, 0)
            try await eventually("nothing more comes") {
                let now = server.uploads.last?.body.count ?? 0
                steady = now == size ? steady + 1 : 0
                size = now
                return steady > 50
            }
            #expect(size < 20 << 20)
            #expect(try Self.residentKiB(proxy) - before < 16 << 10)
            await server.hangUp()
            #expect(try await connection.answer().status == 502)
            try await eventually("the permit is given back") { try await proxy.isIdle() }
            #expect(server.uploads.count == 1)
        }
    }

    @Test func `A client that leaves in the middle leaves nothing behind`() async throws {
        try await run { proxy, server in
            let connection = try await proxy.connect()
            connection.send(Self.head(3 << 20) + Self.field + Self.file + Self.sound(1 << 20))
            try await eventually("the upload has begun") { server.uploads.last?.body.count ?? 0 >= 1 << 20 }
            connection.close()
            try await eventually("the provider's connection ends") { server.uploads.last?.isGone ?? false }
            try await eventually("the permit is given back") { try await proxy.isIdle() }
            #expect(server.uploads.allSatisfy { !$0.isComplete })
            #expect(try await proxy.figure("requests_failed", of: "audio") == 0)
        }
    }

    @Test func `A client that sends too much is refused in words`() async throws {
        try await run(settings: "max_request_size = 1 MiB") { proxy, server in
            let connection = try await proxy.connect()
            connection.send(Self.head(nil))
            let piece = Self.field + Self.file + Self.sound(2 << 20)
            connection.send(String(piece.utf8.count, radix: 16) + "\r\n" + piece + "\r\n")
            let answer = try await connection.answer()
            #expect(answer.status == 413 && answer.body.contains("1048576 bytes"), "\(answer.body)")
            try await eventually("the provider's connection ends") { server.uploads.last?.isGone ?? true }
            #expect(server.uploads.allSatisfy { !$0.isComplete })
            #expect(try await proxy.figure("requests_failed", of: "audio") == 0)
        }
    }
}
