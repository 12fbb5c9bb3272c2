import Foundation
import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct OpenAIOnOCITests {
    private func body(_ request: String, model: String = "meta.llama-3.3-70b-instruct", streams: Bool = false) throws
        -> Golden.Object
    {
        let target = ChatTarget(
            serving: .onDemand(modelID: model), modelID: model, defaultMaxTokens: 4000, isStreaming: streams)
        let document = try OpenAIOnOCI.body(of: RequestField(body: Array(request.utf8)), for: target).bytes
        return try #require(try Golden.parse(document) as? Golden.Object)
    }

    @Test(arguments: Golden.cases("clients").filter { ($0.object["messages"] as? [Any]) != nil })
    func `Of what clients send only what OpenAI has goes on`(golden: Golden.Case) throws {
        let known: Set = [
            "model", "messages", "stream", "stream_options", "max_tokens", "tools", "tool_choice", "response_format",
            "n", "logprobs", "top_logprobs", "user",
            "prediction", "service_tier", "web_search_options", "temperature", "top_p", "stop", "seed",
            "frequency_penalty", "presence_penalty",
            "logit_bias", "parallel_tool_calls", "reasoning_effort", "verbosity", "metadata",
        ]
        let sent = golden.object
        let body = try body(String(decoding: golden.data, as: UTF8.self))
        #expect(Set(body.keys).isSubset(of: known), "\(Set(body.keys).subtracting(known))")
        let text = String(decoding: try JSONSerialization.data(withJSONObject: body), as: UTF8.self)
        for name in ["cache_control", "reasoning_content", "\"thinking\"", "extra_body"] {
            #expect(!text.contains(name))
        }
        #expect((body["messages"] as? [Any])?.count == (sent["messages"] as? [Any])?.count)
    }

    @Test func `Texts and calls stay as they came`() throws {
        let messages =
            #"[{"role":"user","content":[{"type":"text","text":"a\u00e9\n","cache_control":{"type":"ephemeral"}}]},{"role":"assistant","content":null,"reasoning_content":"x","tool_calls":[{"id":"1","type":"function","index":0,"function":{"name":"f","arguments":"{\"a\":1.0}"}}]},{"role":"tool","tool_call_id":"1","content":"7"}]"#
        let body = try body(#"{"model":"mine","messages":\#(messages),"top_k":5,"store":true,"temperature":null}"#)
        let wanted = messages.replacing(#","cache_control":{"type":"ephemeral"}"#, with: "").replacing(
            #""reasoning_content":"x","#, with: ""
        ).replacing(#""index":0,"#, with: "")
        #expect(body["messages"] as? NSArray == (try JSONSerialization.jsonObject(with: Data(wanted.utf8))) as? NSArray)
        #expect(
            Set(body.keys) == ["model", "messages", "stream", "max_tokens"]
                && body["model"] as? String == "meta.llama-3.3-70b-instruct")
    }

    @Test(arguments: [
        ("meta.llama-3.3-70b-instruct", #""max_tokens":0"#, "max_tokens", 4000),
        ("xai.grok-4.3", #""max_tokens":-1"#, "max_tokens", 4000),
        ("xai.grok-4.3", #""max_completion_tokens":7,"max_tokens":9"#, "max_tokens", 7),
        ("openai.gpt-4.1", #""max_tokens":9"#, "max_completion_tokens", 9),
        ("meta.llama-3.3-70b-instruct", #""max_tokens":99999"#, "max_tokens", 4000),
    ])
    func `The limit has the name and the size that the family takes`(
        model: String, limit: String, name: String, value: Int
    ) throws {
        let body = try body(#"{"model":"m","messages":[{"role":"user","content":"x"}],\#(limit)}"#, model: model)
        #expect(body[name] as? Int == value)
        #expect(body.keys.count { $0.hasPrefix("max_") } == 1)
    }

    @Test func `What a family refuses is left out`() throws {
        let request =
            #"{"model":"m","messages":[{"role":"user","content":"x"}],"stop":"x","reasoning_effort":"low","temperature":1}"#
        #expect(
            Set(try body(request, model: "xai.grok-4.3").keys) == [
                "model", "messages", "temperature", "stream", "max_tokens",
            ])
        #expect(
            Set(try body(request, model: "openai.gpt-oss-20b").keys) == [
                "model", "messages", "temperature", "stop", "reasoning_effort", "stream", "max_tokens",
            ])
    }

    @Test(arguments: [
        ("meta.llama-3.3-70b-instruct", "system"), ("xai.grok-4.3", "system"), ("google.gemini-2.5-pro", "system"),
        ("new.model", "system"),
        ("openai.gpt-oss-120b", "developer"), ("openai.gpt-5", "developer"), ("openai.o3", "developer"),
        ("openai.gpt-4.1", "developer"),
    ])
    func `A developer speaks as the system where the role is not known`(model: String, role: String) throws {
        let messages =
            #"[{"role":"developer","name":"developer","content":"be brief"},{"role":"user","content":[{"type":"text","text":"developer"}]},{"role":"d\u0065veloper","content":"x"}]"#
        let body = try body(#"{"model":"m","messages":\#(messages)}"#, model: model)
        let sent = try #require(body["messages"] as? [Golden.Object])
        #expect(sent.map { $0["role"] as? String } == [role, "user", role])
        #expect(sent[0]["name"] as? String == "developer" && sent[0]["content"] as? String == "be brief")
        #expect(sent[1]["content"] as? NSArray == [["type": "text", "text": "developer"]])
    }

    @Test(arguments: [(true, true), (false, false)])
    func `A stream is asked for as it is called`(streams: Bool, hasOptions: Bool) throws {
        let body = try body(
            #"{"model":"m","messages":[{"role":"user","content":"x"}],"stream":true,"stream_options":{"include_usage":true}}"#,
            streams: streams)
        #expect(body["stream"] as? Bool == streams && (body["stream_options"] != nil) == hasOptions)
    }

    @Test(arguments: [
        (#"{"model":"m"}"#, "messages"), (#"{"model":"m","messages":null}"#, "messages"),
        (#"{"model":"m","messages":[]}"#, "messages"),
        (#"{"model":"m","messages":"hi"}"#, "messages"),
        (#"{"model":"m","messages":[{"role":"user","content":"x"},"hi"]}"#, "messages[1]"),
    ])
    func `Without messages there is nothing to send`(request: String, place: String) {
        let error = #expect(throws: Failure.self) { try body(request) }
        #expect(error?.status == 400 && error?.param == place)
    }
}
