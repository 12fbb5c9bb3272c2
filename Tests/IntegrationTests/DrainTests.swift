import Foundation
import OCISimulator
import Testing

/// The end of the process: who may finish, who is told, and how long it takes.
@Suite(.timeLimit(.minutes(5))) struct DrainTests {
    /// A chat whose upstream says nothing at all.
    private func startSilentChat(at proxy: RunningProxy) async throws -> RawConnection {
        let before = proxy.chats.count
        proxy.simulator.add(Fault(.stall, kind: .chat))
        let connection = try await proxy.connect()
        connection.send(proxy.chatRequest(RunningProxy.body()))
        try await eventually("the upstream to be asked") { proxy.chats.count == before + 1 }
        return connection
    }

    @Test func `Health says draining and idle connections close`() async throws {
        try await RunningProxy.run(settings: "shutdown_grace = 1h") { proxy in
            let stream = try await proxy.openStream()
            let idle = try await proxy.connect()
            idle.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try await idle.answer().status == 200)
            // Has not asked anything yet when the signal comes.
            let early = try await proxy.connect()
            early.send("GET /health HTTP/1.1\r\nHost: localhost\r\n")
            try await eventually("three connections to be accepted") { try await proxy.openConnections() >= 3 }

            proxy.terminate()
            try await proxy.logged("Stopping")
            early.send("\r\n")
            let answer = try await early.answer()
            #expect(
                answer.status == 503 && answer.json?["status"] as? String == "draining"
                    && answer.headers["connection"] == "close")
            await idle.closed()
            await #expect(throws: (any Error).self) { try await proxy.connect() }
            stream.close()
            #expect(await proxy.exitCode() == 0)
            #expect(proxy.log.contains("Stopped"))
        }
    }

    @Test func `Requests that run finish within the grace`() async throws {
        try await RunningProxy.run(
            pacing: Pacing(events: 6, text: "tick ", interval: .milliseconds(100), firstDelay: .milliseconds(200))
        ) { proxy in
            let stream = try await proxy.connect()
            stream.send(proxy.chatRequest(RunningProxy.body(streams: true)))
            let whole = try await proxy.connect()
            whole.send(proxy.chatRequest(RunningProxy.body()))
            // A body that is still on its way is a request that runs.
            let half = try await proxy.connect()
            let request = proxy.chatRequest(RunningProxy.body())
            half.send(String(request.prefix(request.count - 20)))
            try await eventually("two chats at the upstream") { proxy.chats.count == 2 }
            try await eventually("three connections to be accepted") { try await proxy.openConnections() >= 3 }
            proxy.terminate()
            try await proxy.logged("Stopping")
            half.send(String(request.suffix(20)))
            let text = String(repeating: "tick ", count: 6)
            #expect(try await stream.answer().flaw(text, streams: true) == nil)
            #expect(try await whole.answer().flaw(text, streams: false) == nil)
            #expect(try await half.answer().flaw(text, streams: false) == nil)
            #expect(await proxy.exitCode() == 0)
        }
    }

    @Test func `What remains at the end of the grace is told so`() async throws {
        try await RunningProxy.run(settings: "shutdown_grace = 300ms") { proxy in
            let whole = try await startSilentChat(at: proxy)
            let stream = try await proxy.openStream()
            let half = try await proxy.connect()
            half.send(
                "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(proxy.key)\r\nContent-Length: 100\r\n\r\n{"
            )
            try await eventually("three connections to be accepted") { try await proxy.openConnections() >= 3 }
            let begin = ContinuousClock.now
            proxy.terminate()

            let streamed = try await stream.answer()
            #expect(streamed.status == 200 && streamed.events.last != "[DONE]")
            let last = try #require(
                streamed.events.last.flatMap { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
            )
            let error = try #require(last["error"] as? [String: Any])
            #expect(
                error["code"] as? String == "server_shutting_down" && error["type"] as? String == "server_error"
                    && error["message"] is String)

            for connection in [whole, half] {
                let answer = try await connection.answer()
                #expect(
                    answer.status == 503 && answer.error("code") == "server_shutting_down"
                        && answer.headers["retry-after"] == "1", "\(answer)")
                #expect(answer.headers["connection"] == "close")
            }
            #expect(ContinuousClock.now - begin > .milliseconds(300))
            // The clients keep their connections open: they are waited for a second, no longer.
            #expect(await proxy.exitCode() == 0)
            #expect(ContinuousClock.now - begin < .seconds(5))
            #expect(proxy.log.contains("shutdown_grace expired") && proxy.log.contains("error=server_shutting_down"))
            #expect(!proxy.log.contains("status=499"), "the clients have not left")
        }
    }

    @Test func `The grace is that of the configuration of the moment`() async throws {
        try await RunningProxy.run(settings: "shutdown_grace = 1h") { proxy in
            let file = proxy.directory.appending(path: "config.conf")
            let text = try String(contentsOf: file, encoding: .utf8).replacing(
                "shutdown_grace = 1h", with: "shutdown_grace = 0s")
            try text.write(to: file, atomically: true, encoding: .utf8)
            let answer = try await proxy.reload()
            #expect(
                answer.json?["message"] as? String == "Configuration reloaded.",
                "and it needs no restart: \(answer.body)")
            let stream = try await proxy.openStream()
            proxy.terminate()
            #expect(try await stream.answer().body.contains("server_shutting_down"))
            #expect(await proxy.exitCode() == 0)
        }
    }

    @Test(arguments: [SIGTERM, SIGINT]) func `A second signal ends at once`(signal: Int32) async throws {
        try await RunningProxy.run(settings: "shutdown_grace = 1h") { proxy in
            let stream = try await proxy.openStream()
            proxy.send(signal)
            try await proxy.logged("Stopping")
            proxy.send(signal)
            let begin = ContinuousClock.now
            #expect(await proxy.exitCode() == 0)
            #expect(ContinuousClock.now - begin < .seconds(2))
            await stream.closed()
            #expect(proxy.log.contains("Second signal received; exiting immediately"))
        }
    }
}

extension RunningProxy {
    /// Sockets that the proxy holds open for clients, by the kernel's word.
    func openConnections() async throws -> Int {
        // To its end: its size is not known beforehand, and reading it as a file of no size ends after a page.
        let file = try FileHandle(forReadingFrom: URL(filePath: "/proc/\(pid)/net/tcp"))
        let table = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
        let port = String(port, radix: 16, uppercase: true)
        let local = ":" + String(repeating: "0", count: 4 - port.count) + port
        let inodes = table.split(separator: "\n").compactMap { line -> String? in
            let columns = line.split(separator: " ")
            return columns.count > 9 && columns[1].hasSuffix(local) && columns[3] == "01"
                ? "socket:[\(columns[9])]" : nil
        }
        let directory = "/proc/\(pid)/fd"
        let open = try FileManager.default.contentsOfDirectory(atPath: directory).compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: "\(directory)/\($0)")
        }
        return Set(inodes).intersection(open).count
    }
}
