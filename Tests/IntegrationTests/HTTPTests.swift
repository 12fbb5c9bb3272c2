import Foundation
import OCISimulator
import Testing

/// The front as HTTP clients meet it, over a real socket.
@Suite struct HTTPTests {
    @Test func `A connection is used again after a stream and pipelined requests are answered in order`() async throws {
        try await RunningProxy.run { proxy in
            let connection = try await proxy.connect()
            defer { connection.close() }
            connection.send(
                proxy.chatRequest(RunningProxy.body("first", streams: true))
                    + proxy.chatRequest(RunningProxy.body("second"))
                    + proxy.chatRequest(RunningProxy.body("third", streams: true)))
            #expect(try await connection.answer().text.contains("first"))
            #expect(try await connection.answer().body.contains("second"))
            #expect(try await connection.answer().text.contains("third"))
            // The upstream's connections are used again as well.
            #expect(proxy.simulator.requests.filter { $0.kind == .chat }.count == 3)
        }
    }

    @Test func `Every path that people type is served`() async throws {
        try await RunningProxy.run { proxy in
            for path in ["/v1/models", "/models", "/v1/v1/models", "//v1/models", "/v1/models/", "/v1//models?x=1"] {
                let answer = try await proxy.get(path, "Authorization: Bearer \(proxy.key)")
                #expect(answer.status == 200 && (answer.json?["data"] as? [Any])?.count ?? 0 >= 6, "\(path)")
            }
            #expect(try await proxy.get("/v1/nope").status == 404)
            let wrong = try await proxy.get("/v1/chat/completions")
            #expect(
                wrong.status == 405 && wrong.headers["allow"] == "POST" && wrong.error("code") == "method_not_allowed")
        }
    }

    @Test func `A body over the limit is refused in words and a large one is not`() async throws {
        try await RunningProxy.run(settings: "max_request_size = 3 MiB") { proxy in
            let large = try await proxy.chat(RunningProxy.body(String(repeating: "x", count: 2_900_000)))
            #expect(large.status == 200)
            let connection = try await proxy.connect()
            defer { connection.close() }
            connection.send(proxy.chatRequest(RunningProxy.body(String(repeating: "x", count: 4_000_000))))
            let refused = try await connection.answer()
            #expect(refused.status == 413 && refused.error("code") == "request_too_large")
            await connection.closed()
        }
    }

    /// Some clients read only when they have written all. They get the same answer.
    @Test(arguments: [33, 40, 200])
    func `Who writes everything first reads the refusal`(mebibytes: Int) async throws {
        try await RunningProxy.run { proxy in
            let size = mebibytes << 20
            let head =
                "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(proxy.key)\r\nContent-Length: \(size)\r\n\r\n"
            let answer = try await BlockingClient.answer(port: proxy.port, head: head, bodyOf: size)
            #expect(answer.hasPrefix("HTTP/1.1 413 ") && answer.contains("request_too_large"), "\(answer.prefix(200))")
        }
    }

    @Test func `A client that waits for a word gets it at once`() async throws {
        try await RunningProxy.run { proxy in
            let connection = try await proxy.connect()
            defer { connection.close() }
            let body = RunningProxy.body()
            connection.send(
                "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(proxy.key)\r\nExpect: 100-continue\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
            )
            try await connection.received("HTTP/1.1 100 Continue\r\n\r\n")
            connection.send(body)
            #expect(try await connection.answer().status == 200)
        }
    }

    @Test func `Ambiguous framing is refused`() async throws {
        try await RunningProxy.run { proxy in
            let answer = try await proxy.send(
                "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"
            )
            #expect(answer.status == 400 && answer.error("type") == "invalid_request_error")
        }
    }

    @Test func `Broken requests name what is wrong`() async throws {
        try await RunningProxy.run { proxy in
            let broken = try await proxy.chat("{\"model\": }")
            #expect(broken.status == 400 && broken.error("message")?.contains("line 1, column 11") == true)
            let untyped = try await proxy.chat(
                #"{"model":"grok-4","messages":[{"role":"user","content":"x"}],"temperature":"hot"}"#)
            #expect(untyped.status == 400 && untyped.error("param") == "temperature")
            let unknown = try await proxy.chat(RunningProxy.body(model: "grok-44"))
            #expect(
                unknown.status == 404 && unknown.error("code") == "model_not_found"
                    && unknown.error("message")?.contains("'grok-4'") == true)
        }
    }

    @Test func `An upstream's refusal keeps its status in a stream too`() async throws {
        try await RunningProxy.run { proxy in
            let body = #"{"model":"xai.grok-unknown","stream":true,"messages":[{"role":"user","content":"x"}]}"#
            let answer = try await proxy.chat(body)
            #expect(answer.status == 404 && answer.error("code") == "model_not_found")
        }
    }

    @Test func `A preflight is answered without a key and errors carry CORS`() async throws {
        try await RunningProxy.run { proxy in
            let preflight = try await proxy.send(
                "OPTIONS /v1/chat/completions HTTP/1.1\r\nHost: x\r\nOrigin: https://app.example\r\nAccess-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization, x-title\r\n\r\n"
            )
            #expect(
                preflight.status == 204 && preflight.headers["access-control-allow-headers"] == "authorization, x-title"
            )
            #expect(
                preflight.headers["access-control-allow-origin"] == "*"
                    && preflight.headers["access-control-max-age"] != nil)
            let refused = try await proxy.send(
                "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nOrigin: null\r\nContent-Length: 0\r\n\r\n")
            #expect(refused.status == 401 && refused.headers["access-control-allow-origin"] == "*")
            #expect(refused.headers["access-control-expose-headers"]?.contains("x-request-id") == true)
        }
    }

    /// The kernel says who owns our end of the socket: this user, so the curl lines of the README work without a key.
    @Test func `The operator needs no key and a reverse proxy's clients do`() async throws {
        try await RunningProxy.run { proxy in
            let own = try await proxy.get("/test-oci")
            #expect(own.status == 200 && own.json?["status"] as? String == "ok", "\(own.body)")
            let account = try #require((own.json?["accounts"] as? [[String: Any]])?.first)
            #expect(account["ok"] as? Bool == true && (account["models"] as? Int ?? 0) > 0)
            for header in [
                "X-Forwarded-For: 10.0.0.1", "Via: 1.1 nginx", "Origin: https://evil.example",
                "Sec-Fetch-Site: cross-site",
            ] {
                let answer = try await proxy.get("/test-oci", header)
                #expect(answer.status == 401 && answer.headers["www-authenticate"] == "Bearer", "\(header)")
            }
            #expect(
                try await proxy.get("/test-oci", "Via: 1.1 nginx", "Authorization: Bearer \(proxy.key)").status == 200)
            #expect(try await proxy.get("/test-oci", "Authorization: Bearer wrong").status == 401)
        }
    }

    @Test func `Local access can be switched off`() async throws {
        try await RunningProxy.run(settings: "local_access = false") { proxy in
            let answer = try await proxy.get("/v1/models")
            #expect(answer.status == 401 && answer.error("message")?.contains("local_access") == true)
        }
    }

    @Test func `Health follows the checks`() async throws {
        try await RunningProxy.run(settings: "health_check_interval = 50ms", listenerPerAccount: true) { proxy in
            try await proxy.logged("Healthy accounts: 1/1")
            #expect(try await proxy.get("/health").status == 200)
            try await proxy.simulator.refuseConnections(of: "account_1")
            try await proxy.logged("Account is unhealthy")
            let down = try await proxy.get("/health")
            #expect(down.status == 503 && down.json?["status"] as? String == "unhealthy")
            try await proxy.simulator.acceptConnections(of: "account_1")
            try await proxy.logged("Account is healthy again")
            #expect(try await proxy.get("/health").status == 200)
        }
    }

    @Test func `Hundreds of streams at once arrive whole`() async throws {
        try await RunningProxy.run(pacing: Pacing(events: 20, text: "tick ", interval: .milliseconds(20))) { proxy in
            let whole = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<300 {
                    group.addTask {
                        let answer = try await proxy.chat(RunningProxy.body(streams: true))
                        return answer.events.last == "[DONE]" && answer.text == String(repeating: "tick ", count: 20)
                    }
                }
                return try await group.reduce(into: 0) { if $1 { $0 += 1 } }
            }
            #expect(whole == 300)
        }
    }
}
