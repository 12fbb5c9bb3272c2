import Foundation
import OCISimulator
import Testing

/// The program as its operator meets it: command line, exit codes, key generation, stop, and what it keeps to itself.
@Suite struct ProcessTests {
    private func run(_ arguments: String..., in directory: URL? = nil) async throws -> (code: Int32, output: String) {
        let program = try Program("ociai-proxy", arguments, in: directory)
        let code = await program.exitCode()
        return (code, program.output)
    }

    /// A directory with a key and a config file that works.
    private func withConfiguration(_ lines: String = "", _ body: (URL, SimulatedAccount) async throws -> Void)
        async throws
    {
        let directory = try TemporaryDirectory.make()
        defer { try? FileManager.default.removeItem(at: directory) }
        let account = try SimulatedAccount.generate(1)[0]
        let key = directory.appending(path: "key.pem")
        try #require(account.privateKeyPEM).write(to: key, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key.path)
        try """
        # my account
        user = \(account.user)
        tenancy = \(account.tenancy)
        fingerprint = \(account.fingerprint)
        key_file = key.pem
        region = us-chicago-1
        endpoint = http://127.0.0.1:9
        \(lines)
        [MODELS]
        grok-4 = xai.grok-4
        """.write(to: directory.appending(path: "config.conf"), atomically: true, encoding: .utf8)
        try await body(directory, account)
    }

    @Test(arguments: [["-bogus"], ["-port", "x"], ["--port", "70000"], ["-port=-1"], ["-config"], ["extra"]])
    func `Bad usage is sixty four in one line`(arguments: [String]) async throws {
        let program = try Program("ociai-proxy", arguments)
        #expect(await program.exitCode() == 64)
        #expect(program.output.hasPrefix("ociai-proxy: ") && program.output.filter(\.isNewline).count == 1)
    }

    @Test func `One dash and two dashes both work`() async throws {
        for word in ["-version", "--version"] { #expect(try await run(word) == (0, "ociai-proxy 0.1.0\n")) }
        #expect(try await run("-help").output.contains("-multi-account"))
        try await withConfiguration { directory, _ in
            let config = directory.appending(path: "config.conf").path
            for arguments in [
                ["-config", config, "-port", "9000"], ["--config=\(config)", "--port=9000"],
                ["-config=\(config)", "-port=9000"],
            ] {
                let program = try Program("ociai-proxy", arguments + ["-check"])
                #expect(await program.exitCode() == 0)
                #expect(program.output.contains("listen: 127.0.0.1:9000"))
            }
        }
    }

    @Test func `The default file is found and JSON when there is nothing else`() async throws {
        try await withConfiguration { directory, _ in
            #expect(try await run("-check", in: directory).code == 0)
            try FileManager.default.removeItem(at: directory.appending(path: "config.conf"))
            let missing = try await run("-check", in: directory)
            #expect(missing.code == 78 && missing.output.hasPrefix("config.conf: no such file"))
            #expect(
                try await run("-check", "-multi-account", in: directory).output.hasPrefix(
                    "multi_config.conf: no such file"))
            try "{}".write(to: directory.appending(path: "config.json"), atomically: true, encoding: .utf8)
            #expect(try await run("-check", in: directory).output.hasPrefix("config.json:1: "))
        }
    }

    @Test(arguments: [
        ("key_file = nowhere.pem", "nowhere.pem"),
        ("fingerprint = 00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff", "does not match"),
        ("max_request_size = lots", "max_request_size"), ("port = 99999", "port"), ("region =", "region"),
    ])
    func `A bad configuration is exit code 78 with file and line`(line: String, word: String) async throws {
        try await withConfiguration(line) { directory, _ in
            for arguments in [["-check"], []] {
                let program = try Program("ociai-proxy", arguments, in: directory)
                #expect(await program.exitCode() == 78)
                let lines = program.output.split(separator: "\n")
                #expect(lines.contains { $0.contains("config.conf:8: ") && $0.contains(word) }, "\(program.output)")
            }
        }
    }

    @Test func `A port in use is sixty nine`() async throws {
        try await RunningProxy.run { proxy in
            let (code, output) = try await run(
                "-config", proxy.directory.appending(path: "config.conf").path, "-port", "\(proxy.port)")
            #expect(code == 69 && output.contains("cannot listen on 127.0.0.1:\(proxy.port): the port is in use"))
        }
    }

    @Test func `The first start writes a key and changes nothing else`() async throws {
        try await withConfiguration { directory, _ in
            let file = directory.appending(path: "config.conf")
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
            let before = try String(contentsOf: file, encoding: .utf8)
            let program = try Program("ociai-proxy", ["-port", "0"], in: directory)
            _ = try await program.port()
            program.terminate()
            #expect(await program.exitCode() == 0)
            let after = try String(contentsOf: file, encoding: .utf8)
            let line = try #require(after.split(separator: "\n").first { $0.hasPrefix("api_key") })
            #expect(line.wholeMatch(of: /api_key = [0-9a-f]{32}/) != nil)
            #expect(after.replacing(line + "\n", with: "") == before)
            #expect(try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int == 0o600)
            #expect(!program.output.contains(line.suffix(32)), "the key is in the file, not in the log")
        }
    }

    @Test func `A running stream finishes when the proxy is told to stop`() async throws {
        try await RunningProxy.run(pacing: Pacing(events: 8, text: "tick ", interval: .milliseconds(60))) { proxy in
            let connection = try await proxy.connect()
            defer { connection.close() }
            connection.send(proxy.chatRequest(RunningProxy.body(streams: true)))
            try await connection.received(#""content":"tick "#, times: 2)
            proxy.terminate()
            let answer = try await connection.answer()
            #expect(answer.events.last == "[DONE]" && answer.text == String(repeating: "tick ", count: 8))
        }
    }

    /// Canaries in every place where a secret or a prompt can be; then every kind of answer and failure.
    @Test(arguments: ["trace", "info"])
    func `Secrets prompts and answers are logged at no level`(level: String) async throws {
        try await RunningProxy.run(settings: "log_level = \(level)") { proxy in
            let prompt = "canary-prompt-4711"
            var seen = ""
            for fault in [
                nil, Fault.Action.status(400), .status(401), .status(500), .cut(afterEvents: 1),
                .brokenEvent(afterEvents: 1), .errorEvent(afterEvents: 1),
            ] {
                if let fault { proxy.simulator.add(Fault(fault, kind: .chat)) }
                for streams in [false, true] {
                    seen += try await proxy.chat(RunningProxy.body(prompt, streams: streams)).headers.description
                }
            }
            _ = try await proxy.chat(#"{"model":"grok-4","messages":[{"role":"user","content":"canary-prompt-4711"#)
            _ = try await proxy.get("/v1/models?key=canary-query-4711", "Authorization: Bearer canary-wrong-key-4711")
            _ = try await proxy.get("/v1/models/canary-not-secret")
            let log = await proxy.wholeLog() + seen
            for secret in [
                prompt, proxy.key, "canary-query-4711", "canary-wrong-key-4711", "You said", "PRIVATE KEY",
                "Signature algorithm",
            ] {
                #expect(!log.contains(secret), "\(secret)")
            }
            #expect(log.contains("path=/v1/chat/completions"))
        }
    }

    @Test func `The access line says what an operator needs`() async throws {
        try await RunningProxy.run { proxy in
            let answer = try await proxy.chat(RunningProxy.body(streams: true))
            try await proxy.logged("path=/v1/chat/completions")
            let line = try #require(proxy.log.split(separator: "\n").first { $0.contains("path=/v1/chat/completions") })
            for field in [
                "request.id=\(answer.headers["x-request-id"] ?? "-")", "account=default", "model=grok-4", "status=200",
                "ms=", "first_token_ms=", "tokens.in=",
                "tokens.out=", "attempts=1", "key=default",
            ] {
                #expect(line.contains(field), "\(field): \(line)")
            }
            #expect(line.firstMatch(of: #/^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d request /#) != nil)
        }
    }

    @Test func `The log can be JSON in a file`() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "ociai-log-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        let program: () throws -> String = { try String(contentsOf: file, encoding: .utf8) }
        try await withConfiguration("log_format = json\nlog_file = \(file.path)") { directory, _ in
            let process = try Program("ociai-proxy", ["-port", "0"], in: directory)
            while (try? program())?.contains("Listening on http://127.0.0.1:") != true { await Task.yield() }
            process.terminate()
            #expect(await process.exitCode() == 0)
            for line in try program().split(separator: "\n") {
                let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                #expect(object?["time"] is String && object?["level"] is String && object?["message"] is String)
            }
        }
    }
}
