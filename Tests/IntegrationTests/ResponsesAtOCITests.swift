import Foundation
import OCISimulator
import Testing

/// Accounts with a project: their Responses pass to OCI's own API, and what OCI keeps stays where it is.
@Suite(.timeLimit(.minutes(5))) struct ResponsesAtOCITests {
    private static let project = "ocid1.generativeaiproject.oc1.us-chicago-1.aaaaproject"

    private static func body(_ input: String, model: String = "grok-4", _ more: String = "") -> String {
        #"{"model":"\#(model)","input":"\#(input)"\#(more)}"#
    }

    private func id(of answer: RawAnswer) throws -> String {
        try #require(answer.status == 200, "\(answer.body)")
        return try #require(answer.json?["id"] as? String)
    }

    @Test func `Requests and answers pass, and what is kept is found, listed and deleted`() async throws {
        try await RunningProxy.run(settings: "project = \(Self.project)") { proxy in
            // A tool that OCI alone can run, which no chat could have.
            let first = try await proxy.post(
                "/v1/responses", Self.body("Say hello.", #","tools":[{"type":"web_search"}]"#))
            let id = try id(of: first)
            #expect(first.json?["model"] as? String == "grok-4" && id.hasPrefix("resp_oci"))
            let call = try #require(proxy.chats.last)
            #expect(call.target == "/openai/v1/responses" && call.header("openai-project") == Self.project)
            #expect(call.json?["model"] == "xai.grok-4" && call.json?["input"] == "Say hello.")

            let second = try await proxy.post(
                "/v1/responses", Self.body("And now?", #","stream":true,"previous_response_id":"\#(id)""#))
            #expect(second.status == 200 && second.body.contains("event: response.completed"), "\(second.body)")
            #expect(second.body.contains(#""model":"grok-4""#) && !second.body.contains("xai.grok-4"))

            let header = "Authorization: Bearer \(proxy.key)"
            let got = try await proxy.get("/v1/responses/\(id)", header)
            #expect(got.status == 200 && got.json?["id"] as? String == id, "\(got.body)")
            #expect(got.json?["model"] as? String == "grok-4")
            let items = try await proxy.get("/v1/responses/\(id)/input_items?limit=5", header)
            #expect(items.status == 200 && items.body.contains("Say hello."), "\(items.body)")
            #expect(
                proxy.calls(.models).contains { $0.target == "/openai/v1/responses/\(id)/input_items?limit=5" })
            let refused = try await proxy.post("/v1/responses/\(id)/cancel")
            #expect(refused.status == 400, "\(refused.body)")
            let deletion = "DELETE /v1/responses/\(id) HTTP/1.1\r\nHost: localhost\r\n\(header)\r\n\r\n"
            let deleted = try await proxy.send(deletion)
            #expect(deleted.status == 200 && deleted.json?["deleted"] as? Bool == true, "\(deleted.body)")
            for gone in [try await proxy.get("/v1/responses/\(id)", header), try await proxy.send(deletion)] {
                #expect(gone.status == 404 && gone.body.contains("not found"), "\(gone.body)")
            }
            let misled = try await proxy.post("/v1/responses/\(id)")
            #expect(misled.status == 405 && misled.headers["allow"] == "GET, HEAD, DELETE", "\(misled.headers)")
            let late = try await proxy.post("/v1/responses", Self.body("Then?", #","previous_response_id":"\#(id)""#))
            #expect(late.status == 400 && late.body.contains("previous_response_not_found"), "\(late.body)")
            #expect(proxy.chats.allSatisfy { $0.refusal == nil || $0.status == 400 })
        }
    }

    @Test func `Models that are not there are translated`() async throws {
        try await RunningProxy.run(settings: "project = \(Self.project)") { proxy in
            for model in ["llama-3.3-70b", "gemini-2.5-flash", "command-a"] {
                let answer = try await proxy.post("/v1/responses", Self.body("Say hello.", model: model))
                #expect(answer.status == 200 && answer.body.contains("You said: Say hello."), "\(answer.body)")
                #expect(proxy.chats.last?.target == "/20231130/actions/chat")
            }
        }
    }

    @Test func `A conversation stays with the project that keeps it`() async throws {
        let accounts = [
            1: "project = \(Self.project)1", 2: "project = \(Self.project)2", 3: "project = \(Self.project)1",
        ]
        try await RunningProxy.run(accounts: 3, accountSettings: accounts) { proxy in
            for _ in 0..<2 {
                var previous = try id(of: await proxy.post("/v1/responses", Self.body("Begin.")))
                let place = try #require(proxy.chats.last?.header("openai-project"))
                var asked: Set<String> = []
                for _ in 0..<4 {
                    previous = try id(
                        of: await proxy.post(
                            "/v1/responses", Self.body("Go on.", #","previous_response_id":"\#(previous)""#)))
                    let call = try #require(proxy.chats.last)
                    #expect(call.header("openai-project") == place && call.status == 200)
                    asked.insert(call.account ?? "")
                }
                // Those that share a project take turns.
                #expect(asked.count == (place.hasSuffix("1") ? 2 : 1), "\(asked)")
                // An item that is only named is looked for where it is.
                let item = "msg_\(previous.dropFirst("resp_".count))"
                let named = try await proxy.post(
                    "/v1/responses",
                    #"{"model":"grok-4","input":[{"type":"item_reference","id":"\#(item)"},{"role":"user","content":"Go on."}]}"#
                )
                #expect(named.status == 200 && proxy.chats.last?.header("openai-project") == place, "\(named.body)")
            }
        }
    }

    @Test func `A model that OCI does not know there is translated for a while, at that account`() async throws {
        try await RunningProxy.run(settings: "project = \(Self.project)") { proxy in
            proxy.simulator.add(Fault(.status(404), kind: .chat, times: 1))
            for _ in 0..<2 {
                let answer = try await proxy.post("/v1/responses", Self.body("Say hello."))
                #expect(answer.status == 200 && answer.body.contains("You said: Say hello."), "\(answer.body)")
            }
            #expect(
                proxy.chats.map(\.target) == [
                    "/openai/v1/responses", "/20231130/actions/chat", "/20231130/actions/chat",
                ])
        }
    }
}
