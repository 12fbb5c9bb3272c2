import Foundation
import Testing

@testable import Proxy
@testable import ProxyRouting

/// The library's face, in front of a provider on loopback that the test plays.
@Suite(.timeLimit(.minutes(5))) struct ProxyServiceTests {
    private final class Folder: Sendable {
        let file: URL

        init() throws {
            file = FileManager.default.temporaryDirectory.appending(path: "ociai-service-\(UUID().uuidString).json")
        }

        deinit { try? FileManager.default.removeItem(at: file) }

        /// Writes a configuration with these providers, all at one port.
        func write(_ providers: [String], at port: Int) throws {
            let list = providers.map {
                #"{"provider":"\#($0)","baseurl":"http://127.0.0.1:\#(port)/v1","token":"t","model_list":["m"]}"#
            }
            try """
            {"providers": [\(list.joined(separator: ","))], "host": "127.0.0.1",
             "tokens": ["a|0123456789abcdef0123456789abcdef"]}
            """.write(to: file, atomically: true, encoding: .utf8)
        }

        func service(port: Int = 0) throws -> ProxyService {
            ProxyService(
                try ProxyConfiguration(contentsOf: file.path, port: port, environment: [:]), logger: .silent)
        }
    }

    private let folder: Folder
    private let server: PlayedServer

    init() async throws {
        folder = try Folder()
        server = try await PlayedServer()
        try folder.write(["p"], at: server.port)
    }

    private func serve(_ service: ProxyService, _ body: () async throws -> Void) async throws {
        let run = Task { try await service.run() }
        defer { run.cancel() }
        try await body()
        run.cancel()
        _ = await run.result
    }

    private static func chunked(_ events: String...) -> String {
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
            + events.map { "\(String($0.utf8.count + 8, radix: 16))\r\ndata: \($0)\n\n\r\n" }.joined() + "0\r\n\r\n"
    }

    @Test func `A chat is answered and counted`() async throws {
        let service = try folder.service()
        #expect(await service.snapshot() == ProxySnapshot(upstreams: [], inFlight: 0, waiting: 0))
        try await serve(service) {
            let address = try await service.address
            #expect(address.host == "127.0.0.1" && address.port > 0 && !address.isTLS)
            #expect(address.description == "http://127.0.0.1:\(address.port)")

            let events = Task {
                var events: [ChatEvent] = []
                let question = ChatQuestion(model: "p/m", messages: [.user("x")])
                for try await event in service.events(of: question) { events.append(event) }
                return events
            }
            let peer = await server.accept()
            #expect(await peer.request().contains(#""model":"m""#))
            #expect(await service.snapshot().inFlight == 1)
            try await peer.send(
                Self.chunked(
                    #"{"id":"c","choices":[{"index":0,"delta":{"role":"assistant","content":"hi"},"finish_reason":null}]}"#,
                    #"{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
                    #"{"id":"c","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":6,"total_tokens":11}}"#,
                    "[DONE]"))
            let told = try await events.value
            #expect(told == [.text("hi"), .finish(.stop), .usage(.init(prompt: 5, completion: 6, total: 11))])

            let snapshot = await service.snapshot()
            let upstream = try #require(snapshot.upstreams.first)
            #expect(snapshot.upstreams.count == 1 && snapshot.inFlight == 0 && snapshot.waiting == 0)
            #expect(upstream.name == "p" && upstream.kind == .provider && upstream.isHealthy)
            #expect(upstream.breaker == .closed && upstream.inFlight == 0 && upstream.problem == nil)
            #expect(upstream.totals.requests == 1 && upstream.totals.succeeded == 1)
            #expect(snapshot.totals.promptTokens == 5 && snapshot.totals.completionTokens == 6)
        }
    }

    @Test func `A reload takes the file over or says what is wrong with it`() async throws {
        let service = try folder.service()
        try await serve(service) {
            _ = try await service.address
            try folder.write(["p", "q"], at: server.port)
            try await service.reload()
            #expect(await service.snapshot().upstreams.map(\.name) == ["p", "q"])
            try "{".write(to: folder.file, atomically: true, encoding: .utf8)
            let error = try await #require(throws: ProxyConfiguration.Invalid.self) { try await service.reload() }
            #expect(error.issues.first?.file == folder.file.path)
            #expect(await service.snapshot().upstreams.map(\.name) == ["p", "q"])
        }
    }

    @Test func `A port that is in use is said to all who wait for it`() async throws {
        let second = try folder.service(port: server.port)
        let address = Task { try await second.address }
        let error = await #expect(throws: ExitError.self) { try await second.run() }
        #expect(error?.description.contains("the port is in use") == true)
        await #expect(throws: ListeningPlace.Gone.self) { try await address.value }
    }

    @Test func `A service runs once`() async throws {
        let service = try folder.service()
        try await serve(service) { _ = try await service.address }
        await #expect(throws: ExitError.self) { try await service.run() }
    }

    @Test func `Who waits for the address may be cancelled`() async throws {
        let service = try folder.service()
        let address = Task { try await service.address }
        address.cancel()
        await #expect(throws: CancellationError.self) { try await address.value }
    }
}
