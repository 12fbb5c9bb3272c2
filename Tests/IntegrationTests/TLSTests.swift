import Foundation
import OCISimulator
import Testing

/// The listener with a certificate, as curl and openssl meet it.
@Suite struct TLSTests {
    private func run(
        settings: String = "", pacing: Pacing = Pacing(),
        _ body: (RunningProxy, TestCertificate, URL) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory.make()
        defer { try? FileManager.default.removeItem(at: directory) }
        let pair = try await TestCertificate.make("first", in: directory)
        try await RunningProxy.run(settings: pair.settings + "\n" + settings, pacing: pacing) { proxy in
            try await body(proxy, pair, directory)
        }
    }

    private func chat(_ body: String) -> [String] { ["-H", "Authorization: Bearer \(RunningProxy.key)", "-d", body] }

    @Test func `Chats and streams go through it`() async throws {
        try await run { proxy, pair, _ in
            #expect(proxy.log.contains("Listening on https://127.0.0.1:"))
            let health = try await proxy.curl("/health", trusting: pair)
            #expect(health.code == 0 && health.output.contains("\n200 HTTP/1.1"), "\(health.output)")
            let whole = try await proxy.curl(
                "/v1/chat/completions", trusting: pair, chat(RunningProxy.body("harbours")))
            #expect(whole.output.contains("harbours") && whole.output.contains("\n200 "), "\(whole.output)")
            let stream = try await proxy.curl(
                "/v1/chat/completions", trusting: pair, chat(RunningProxy.body("harbours", streams: true)))
            #expect(stream.output.contains("data: [DONE]"), "\(stream.output)")
            // The kernel says who is at the other end of the socket, TLS or not.
            let local = try await proxy.curl("/test-oci", trusting: pair)
            #expect(local.output.contains("\n200 "), "\(local.output)")
            let stranger = try await proxy.curl("/test-oci", trusting: pair, ["-H", "X-Forwarded-For: 192.0.2.1"])
            #expect(stranger.output.contains("\n401 "), "\(stranger.output)")
        }
    }

    @Test func `A large answer arrives whole`() async throws {
        try await run { proxy, pair, _ in
            proxy.simulator.add(Fault(.huge(bytes: 5_000_000), kind: .chat))
            let answer = try await proxy.curl(
                "/v1/chat/completions", trusting: pair, ["-o", "/dev/null"] + chat(RunningProxy.body()))
            let size = answer.output.split(separator: " ").last.flatMap { Int($0) } ?? 0
            #expect(answer.output.contains("200 HTTP/1.1") && size > 5_000_000, "\(answer.output)")
        }
    }

    @Test func `New protocols are spoken and old ones are not`() async throws {
        try await run { proxy, pair, _ in
            for version in ["-tls1_2", "-tls1_3"] {
                let good = try await proxy.handshake(trusting: pair, version, "-alpn", "h2,http/1.1")
                #expect(good.code == 0 && good.output.contains("Verify return code: 0 (ok)"), "\(good.output)")
                #expect(good.output.contains("ALPN protocol: http/1.1"))
            }
            let old = try await proxy.handshake(trusting: pair, "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0")
            #expect(old.code != 0 && old.output.contains("alert protocol version"), "\(old.output)")
        }
    }

    @Test func `Plain HTTP on the TLS port is told so`() async throws {
        try await run { proxy, pair, _ in
            let connection = try await proxy.connect()
            defer { connection.close() }
            connection.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            let answer = try await connection.answer()
            #expect(answer.status == 400 && answer.error("code") == "tls_required")
            await connection.closed()
            let garbage = try await proxy.connect()
            garbage.send("\u{1}\u{2}\u{3}garbage that is neither")
            await garbage.closed()
            garbage.close()
            #expect(try await proxy.curl("/health", trusting: pair).output.contains("\n200 "), "nobody else is harmed")
        }
    }

    @Test func `A client that leaves is noticed`() async throws {
        try await run(pacing: Pacing(events: 1000, text: "tick ", interval: .milliseconds(100))) { proxy, pair, _ in
            let left = try await proxy.curl(
                "/v1/chat/completions", trusting: pair,
                ["-N", "--max-time", "4"] + chat(RunningProxy.body(streams: true)))
            #expect(left.code == 28 && left.output.contains("tick"), "\(left.output)")
            try await proxy.logged("status=499")
        }
    }

    @Test func `A connection serves more than one request`() async throws {
        try await run { proxy, pair, _ in
            let both = try await proxy.curl(
                "/health", trusting: pair, ["-w", "connects=%{num_connects};", "https://127.0.0.1:\(proxy.port)/"])
            #expect(
                both.code == 0 && both.output.contains("connects=1;") && both.output.contains("connects=0;"),
                "\(both.output)")
        }
    }

    @Test func `A stream that the end of the process cuts hears so`() async throws {
        let pacing = Pacing(events: 10_000, text: "tick ", interval: .milliseconds(100))
        try await run(settings: "shutdown_grace = 300ms", pacing: pacing) { proxy, pair, _ in
            async let stream = proxy.curl(
                "/v1/chat/completions", trusting: pair, ["-N"] + chat(RunningProxy.body(streams: true)))
            try await eventually("the stream") { (proxy.chats.last?.eventsSent ?? 0) > 2 }
            proxy.terminate()
            let answer = try await stream
            #expect(answer.code == 0, "the body has its proper end")
            #expect(
                answer.output.contains("tick") && answer.output.contains(#""code":"server_shutting_down""#)
                    && !answer.output.contains("[DONE]"))
            #expect(await proxy.exitCode() == 0)
        }
    }

    @Test func `A renewed certificate is shown without a reload`() async throws {
        try await run { proxy, pair, directory in
            let second = try await TestCertificate.make("second", in: directory)
            try second.replace(pair)
            try await eventually("the new certificate", within: .seconds(30)) {
                try await proxy.handshake(trusting: second).code == 0
            }
            try await proxy.logged("Certificate reloaded")
        }
    }

    @Test func `A reload shows the renewed certificate and a broken pair changes nothing`() async throws {
        try await run { proxy, pair, directory in
            let second = try await TestCertificate.make("second", in: directory)
            try second.replace(pair)
            let reload = ["-X", "POST", "-H", "Authorization: Bearer \(RunningProxy.key)"]
            // The first is still shown, so this trusts what is no longer in its file.
            let insecure = ["-k"]
            #expect(try await proxy.curl("/v1/reload", trusting: second, insecure + reload).output.contains("\n200 "))
            let renewed = try await proxy.handshake(trusting: second)
            #expect(
                renewed.code == 0 && renewed.output.contains("second") && !renewed.output.contains("first"),
                "\(renewed.output)")

            try "garbage".write(toFile: pair.key, atomically: true, encoding: .utf8)
            let refused = try await proxy.curl("/v1/reload", trusting: second, reload)
            #expect(refused.output.contains("\n400 ") && refused.output.contains("tls_key = "), "\(refused.output)")
            let kept = try await proxy.handshake(trusting: second)
            #expect(kept.code == 0 && kept.output.contains("second"))
            try await proxy.logged("Reload failed; the current configuration stays in use")
        }
    }

    @Test func `Whether the port speaks TLS takes a restart`() async throws {
        let directory = try TemporaryDirectory.make()
        defer { try? FileManager.default.removeItem(at: directory) }
        let pair = try await TestCertificate.make("first", in: directory)
        try await RunningProxy.run(accounts: 1) { proxy in
            try proxy.configure(try proxy.configuration().replacing("port = 0", with: "port = 0\n\(pair.settings)"))
            let answer = try await proxy.reload()
            #expect(answer.status == 200)
            #expect(
                (answer.json?["message"] as? String)?.contains(
                    "tls_cert, tls_key changed: restart the proxy to apply the change")
                    == true, "\(answer.body)")
            #expect(try await proxy.get("/health").status == 200, "it is plain HTTP still")
        }
    }

    @Test func `A broken pair is exit code 78 and is named`() async throws {
        let directory = try TemporaryDirectory.make()
        defer { try? FileManager.default.removeItem(at: directory) }
        let (first, second) = (
            try await TestCertificate.make("first", in: directory),
            try await TestCertificate.make("second", in: directory)
        )
        try await RunningProxy.run { proxy in
            let good = try String(contentsOf: proxy.directory.appending(path: "config.conf"), encoding: .utf8)
            let file = proxy.directory.appending(path: "tls.conf")
            let faults = [
                (
                    TestCertificate(certificate: first.certificate, key: second.key),
                    "does not match the first certificate"
                ),
                (TestCertificate(certificate: first.key, key: first.key), "it contains no certificate"),
                (
                    TestCertificate(certificate: first.certificate, key: first.certificate),
                    "it contains no private key"
                ),
            ]
            for (pair, reason) in faults {
                try (pair.settings + "\n" + good).write(to: file, atomically: true, encoding: .utf8)
                for arguments in [["-check"], []] {
                    let program = try Program("ociai-proxy", ["-config", file.path] + arguments)
                    #expect(await program.exitCode() == 78)
                    #expect(
                        program.output.contains("tls.conf: tls_") && program.output.contains(reason),
                        "\(program.output)")
                }
            }
            try (first.settings + "\n" + good).write(to: file, atomically: true, encoding: .utf8)
            let check = try Program("ociai-proxy", ["-config", file.path, "-check"])
            #expect(await check.exitCode() == 0)
            #expect(check.output.contains("(TLS)"))
        }
    }
}
