import Foundation
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct GenericRequestWriterTests {
    private static let cases = Golden.cases("oci/chat", "req_generic")
    /// The chats among what real clients send.
    private static let clients = Golden.cases("clients").filter { ($0.object["messages"] as? [Any]) != nil }
    private static let models = [
        "xai.grok-4", "xai.grok-3-mini", "meta.llama-3.3-70b-instruct", "google.gemini-2.5-flash",
        "openai.gpt-oss-120b", "openai.gpt-5",
    ]

    private func translate(
        _ body: some Sequence<UInt8>, for target: ChatTarget, in compartment: String = "ocid1.c"
    ) throws -> Golden.Object {
        let details = try GenericRequestWriter.translate(try ChatRequest.parse(Array(body)), for: target)
        return try #require(try Golden.parse(details.document(in: compartment).bytes) as? Golden.Object)
    }

    private func target(_ model: String, streams: Bool = false) -> ChatTarget {
        ChatTarget(serving: ServingMode(id: model), modelID: model, defaultMaxTokens: 4000, isStreaming: streams)
    }

    private func chat(_ fields: String, model: String = "xai.grok-4") throws -> Golden.Object {
        let text =
            #"{"model":"m","messages":[{"role":"user","content":"hi"}]"# + (fields.isEmpty ? "" : ",") + fields + "}"
        return try #require(try translate(text.utf8, for: target(model))["chatRequest"] as? Golden.Object)
    }

    private func messages(_ messages: String, model: String = "meta.llama-3.3-70b-instruct") throws -> [Golden.Object] {
        let body = #"{"model":"m","messages":["# + messages + "]}"
        let request = try #require(try translate(body.utf8, for: target(model))["chatRequest"] as? Golden.Object)
        return try #require(request["messages"] as? [Golden.Object])
    }

    @Test func `All cases are there`() {
        #expect(Self.cases.count == 37)
        #expect(Self.clients.count >= 25)
    }

    @Test(arguments: cases)
    func `Every fixture gives its request`(golden: Golden.Case) throws {
        let context = try #require(golden.object["context"] as? Golden.Object)
        let model = try #require(context["oci_model_id"] as? String)
        let request = try #require(golden.object["openai_request"] as? Golden.Object)
        let serving = (context["endpoint_id"] as? String).map { ServingMode(id: $0) } ?? .onDemand(modelID: model)
        let body = try JSONSerialization.data(withJSONObject: request)
        let found = try translate(
            body,
            for: ChatTarget(
                serving: serving, modelID: model, defaultMaxTokens: try #require(context["default_max_tokens"] as? Int),
                isStreaming: request["stream"] as? Bool ?? false),
            in: try #require(context["compartment_id"] as? String))
        #expect(Golden.difference(found, golden.object["oci_request"]) == nil)
    }

    @Test(arguments: clients, models)
    func `What real clients send is accepted`(golden: Golden.Case, model: String) throws {
        for streams in [true, false] {
            let details = try translate(golden.data, for: target(model, streams: streams))
            let request = try #require(details["chatRequest"] as? Golden.Object)
            let messages = try #require(request["messages"] as? [Golden.Object])
            #expect(!messages.isEmpty)
            for message in messages {
                let hasCalls = message["toolCalls"] != nil
                let content = message["content"] as? [Golden.Object]
                #expect(hasCalls || content?.isEmpty == false)
                if let content { #expect(content.allSatisfy { $0["type"] is String }) }
            }
            #expect(request["isStream"] as? Bool ?? false == streams)
            #expect(request["maxTokens"] != nil || request["maxCompletionTokens"] != nil)
        }
    }

    // MARK: Messages

    @Test(arguments: [
        #"{"role":"user"}"#, #"{"role":"user","content":null}"#, #"{"role":"user","content":""}"#,
        #"{"role":"user","content":[]}"#,
        #"{"role":"assistant"}"#, #"{"role":"assistant","content":null}"#, #"{"role":"system","content":null}"#,
        #"{"role":"tool","tool_call_id":"a"}"#,
    ])
    func `A message without content gets an empty text`(message: String) throws {
        let content = try #require(try messages(message)[0]["content"] as? [Golden.Object])
        #expect(content.count == 1 && content[0]["text"] as? String == "")
    }

    @Test func `Parts stay parts and late system messages keep their place`() throws {
        let found = try messages(
            #"{"role":"system","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}},{"type":"text","text":"b"}]},{"role":"user","content":"c"},{"role":"user","content":" "},{"role":"system","content":"d"}"#
        )
        #expect(found.map { $0["role"] as? String } == ["SYSTEM", "USER", "USER", "SYSTEM"])
        #expect((found[0]["content"] as? [Golden.Object])?.map { $0["text"] as? String } == ["a", "b"])
        #expect((found[2]["content"] as? [Golden.Object])?.first?["text"] as? String == " ")
    }

    @Test func `Images may be objects or bare strings`() throws {
        let found = try messages(
            #"{"role":"user","content":[{"type":"image_url","image_url":"data:image/png;base64,AAAA"},{"type":"image_url","image_url":{"url":"https://x.example/a.jpg","detail":"low"}}]}"#
        )
        let parts = try #require(found[0]["content"] as? [Golden.Object])
        #expect(
            parts.map { ($0["imageUrl"] as? Golden.Object)?["url"] as? String } == [
                "data:image/png;base64,AAAA", "https://x.example/a.jpg",
            ])
        #expect((parts[1]["imageUrl"] as? Golden.Object)?["detail"] as? String == "LOW")
    }

    @Test func `An escaped slash in a data URI means the same`() throws {
        let found = try messages(
            #"{"role":"user","content":[{"type":"image_url","image_url":"data:image\/png;base64,AA"},{"type":"image_url","image_url":"data:application\/pdf;base64,AA"}]}"#
        )
        #expect((found[0]["content"] as? [Golden.Object])?.map { $0["type"] as? String } == ["IMAGE", "DOCUMENT"])
    }

    @Test func `Gemini gets one result after each call in the calls' order`() throws {
        let found = try messages(
            #"{"role":"assistant","content":"Let me see","tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}},{"id":"b","function":{"name":"g","arguments":""}}]},{"role":"tool","tool_call_id":"b","content":"2"},{"role":"tool","tool_call_id":"a","content":"1"},{"role":"user","content":"go on"}"#,
            model: "google.gemini-2.5-pro")
        #expect(found.map { $0["role"] as? String } == ["ASSISTANT", "TOOL", "ASSISTANT", "TOOL", "USER"])
        #expect(
            found.map { ($0["content"] as? [Golden.Object])?.first?["text"] as? String } == [
                "Let me see", "1", ".", "2", "go on",
            ])
        #expect(((found[2]["toolCalls"] as? [Golden.Object])?.first?["arguments"] as? String) == "{}")
    }

    @Test func `Arguments that are an object become text`() throws {
        let found = try messages(
            #"{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":{"x":"\"y\""}}}]},{"role":"tool","tool_call_id":"a","content":"1"}"#
        )
        #expect((found[0]["toolCalls"] as? [Golden.Object])?.first?["arguments"] as? String == #"{"x":"\"y\""}"#)
    }

    @Test func `Results follow their calls in the calls' order whatever stands between`() throws {
        let chat =
            #"{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f"}},{"id":"b","function":{"name":"g"}}]},{"role":"tool","tool_call_id":"b","content":"2"},{"role":"user","content":"look"},{"role":"tool","tool_call_id":"a","content":"1"},{"role":"tool","tool_call_id":"z","content":"?"},{"role":"assistant","content":"ok"}"#
        let texts = { (found: [Golden.Object]) in
            found.map { ($0["content"] as? [Golden.Object])?.first?["text"] as? String }
        }
        #expect(texts(try messages(chat)) == [nil, "1", "2", "look", "?", "ok"])
        #expect(texts(try messages(chat, model: "google.gemini-2.5-pro")) == [".", "1", ".", "2", "look", "?", "ok"])
    }

    @Test func `A result belongs to the turn of its call`() throws {
        let turn =
            #"{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f"}}]},{"role":"tool","tool_call_id":"a","content":"#
        let found = try messages(turn + #""1"},"# + turn + #""2"}"#)
        #expect(found.map { ($0["content"] as? [Golden.Object])?.first?["text"] as? String } == [nil, "1", nil, "2"])
    }

    @Test(arguments: ["", " ", #"\n"#])
    func `Gemini never gets an empty text`(text: String) throws {
        let found = try messages(
            #"{"role":"user","content":"\#(text)"},{"role":"assistant","content":"\#(text)","tool_calls":[{"id":"a","function":{"name":"f"}}]},{"role":"tool","tool_call_id":"a","content":"\#(text)"},{"role":"user","content":[{"type":"text","text":"\#(text)"},{"type":"text","text":"x"}]}"#,
            model: "google.gemini-2.5-pro")
        #expect(
            found.map { ($0["content"] as? [Golden.Object])?.map { $0["text"] as? String } } == [
                ["."], ["."], ["."], ["x"],
            ])
    }

    @Test(arguments: [
        (
            #"{"type":"file","file":{"filename":"a.PDF","file_data":"JVBERi0="}}"#, "DOCUMENT", "documentUrl",
            "data:application/pdf;base64,JVBERi0="
        ),
        (
            #"{"type":"file","file":{"file_data":"data:image/png;base64,AAAA"}}"#, "IMAGE", "imageUrl",
            "data:image/png;base64,AAAA"
        ),
        (
            #"{"type":"image_url","image_url":"data:application\/pdf;base64,AAAA"}"#, "DOCUMENT", "documentUrl",
            "data:application/pdf;base64,AAAA"
        ),
        (
            #"{"type":"image_url","image_url":{"url":"DATA:IMAGE\/JPG;charset=utf-8;base64,AA\/A"}}"#, "IMAGE",
            "imageUrl", "data:image/jpeg;base64,AA/A"
        ),
        (
            #"{"type":"input_audio","input_audio":{"data":"data:audio/mp3;base64,AAAA"}}"#, "AUDIO", "audioUrl",
            "data:audio/mp3;base64,AAAA"
        ),
        (
            #"{"type":"audio_url","audio_url":{"url":"https://x.example/a.mp3"}}"#, "AUDIO", "audioUrl",
            "https://x.example/a.mp3"
        ),
        (
            #"{"type":"video_url","video_url":"data:video/mp4;base64,AAAA"}"#, "VIDEO", "videoUrl",
            "data:video/mp4;base64,AAAA"
        ),
    ])
    func `Media go out as one kind of data URI`(part: String, type: String, member: String, url: String) throws {
        let content = try messages(#"{"role":"user","content":[\#(part)]}"#)[0]["content"] as? [Golden.Object]
        #expect(content?.first?["type"] as? String == type)
        #expect((content?.first?[member] as? Golden.Object)?["url"] as? String == url)
    }

    @Test(arguments: [
        (#"{"type":"file","file":{"file_data":"http://10.0.0.1/"}}"#, "file.file_data"),
        (#"{"type":"file","file":{"file_data":"JVBERi0="}}"#, "file.file_data"),
        (#"{"type":"image_url","image_url":"data:image/png;base64,"}"#, "image_url"),
        (#"{"type":"image_url","image_url":"data:image/png,AAAA"}"#, "image_url"),
        (#"{"type":"input_audio","input_audio":{"data":"AAAA","format":""}}"#, "input_audio"),
        (#"{"type":"video_url","video_url":"junk"}"#, "video_url"),
    ])
    func `Media without data are refused`(part: String, parameter: String) {
        expectRefusal(
            #"{"model":"m","messages":[{"role":"user","content":[\#(part)]}]}"#, "messages[0].content[0].\(parameter)")
    }

    @Test func `A refusal in the history is passed on`() throws {
        #expect(
            try messages(#"{"role":"assistant","content":null,"refusal":"I will not."}"#)[0]["refusal"] as? String
                == "I will not.")
    }

    // MARK: Tuning

    @Test(arguments: [
        (#""seed":1e30"#, "seed", 2_147_483_647.0),
        (#""seed":1700000000000"#, "seed", Double(1_700_000_000_000 & 0x7FFF_FFFF)), (#""seed":-5"#, "seed", -5),
        (#""max_tokens":1e12"#, "maxTokens", 2_147_483_647),
        (#""max_tokens":50,"max_completion_tokens":0"#, "maxTokens", 50),
        (#""temperature":1e999"#, "temperature", 2), (#""top_logprobs":99,"logprobs":true"#, "logProbs", 20),
    ])
    func `No number is too great`(fields: String, name: String, value: Double) throws {
        #expect((try chat(fields)[name] as? NSNumber)?.doubleValue == value)
    }

    @Test(arguments: [
        (#""presence_penalty":0,"frequency_penalty":0"#, "xai.grok-4"),
        (#""presence_penalty":1,"stop":"x","logit_bias":{"1":2},"top_k":3"#, "openai.gpt-5"),
        (#""stop":"""#, "meta.llama-3.3-70b-instruct"), (#""stop":[]"#, "meta.llama-3.3-70b-instruct"),
        (#""functions":[],"function_call":"auto""#, "xai.grok-4"),
    ])
    func `What would be refused for nothing is left out`(fields: String, model: String) throws {
        #expect(
            Set(try chat(fields, model: model).keys).subtracting(["maxTokens", "maxCompletionTokens"]) == [
                "apiFormat", "messages",
            ])
    }

    @Test func `Metadata are sixteen texts`() throws {
        let pairs = (0..<20).map { #""k\#($0)":"v""# }.joined(separator: ",")
        let metadata = try chat(#""metadata":{"n":1,\#(pairs)}"#)["metadata"] as? [String: String]
        #expect(metadata?.count == 16 && metadata?["n"] == nil)
    }

    @Test func `Gemini's answer schemas are reduced and others go as they came`() throws {
        let format =
            #""response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{"type":"object","title":"T","properties":{"a":{"const":"x"}},"additionalProperties":false}}}"#
        let schema = { (request: Golden.Object) in
            ((request["responseFormat"] as? Golden.Object)?["jsonSchema"] as? Golden.Object)?["schema"]
                as? Golden.Object
        }
        #expect(
            Set(schema(try chat(format, model: "google.gemini-2.5-pro"))?.keys.map { $0 } ?? []) == [
                "type", "properties",
            ])
        #expect(
            Set(schema(try chat(format, model: "xai.grok-4"))?.keys.map { $0 } ?? []) == [
                "type", "title", "properties", "additionalProperties",
            ])
    }

    @Test(arguments: [
        (#""temperature":9"#, "temperature", 2.0), (#""temperature":-1"#, "temperature", 0),
        (#""top_p":1.5"#, "topP", 1),
        (#""presence_penalty":-3"#, "presencePenalty", -2), (#""max_tokens":3.0"#, "maxTokens", 3),
        (#""max_tokens":null"#, "maxTokens", 4000),
        (#""max_tokens":-1"#, "maxTokens", 4000), (#""max_tokens":5,"max_completion_tokens":7"#, "maxTokens", 7),
    ])
    func `Numbers are brought into range`(fields: String, name: String, value: Double) throws {
        #expect((try chat(fields)[name] as? NSNumber)?.doubleValue == value)
    }

    @Test func `Limits above the model's are lowered`() throws {
        #expect(try chat(#""max_tokens":32000"#, model: "meta.llama-3.3-70b-instruct")["maxTokens"] as? Int == 4000)
        #expect(try chat(#""max_tokens":32000"#, model: "xai.grok-4")["maxTokens"] as? Int == 32000)
    }

    @Test(arguments: [
        (#""stop":["x"]"#, "xai.grok-4", "stop"), (#""reasoning_effort":"high""#, "xai.grok-4", "reasoningEffort"),
        (#""temperature":0.2"#, "openai.gpt-5", "temperature"), (#""top_p":0.2"#, "openai.o3", "topP"),
        (#""metadata":{"a":1}"#, "xai.grok-4", "metadata"),
        (#""service_tier":"flex""#, "xai.grok-4", "serviceTier"), (#""verbosity":"loud""#, "xai.grok-4", "verbosity"),
        (#""reasoning_effort":"ultra""#, "openai.gpt-oss-20b", "reasoningEffort"),
        (#""tool_choice":"required""#, "xai.grok-4", "toolChoice"),
        (#""tools":[],"parallel_tool_calls":true"#, "xai.grok-4", "isParallelToolCalls"),
        (#""stream_options":{"include_usage":true}"#, "xai.grok-4", "streamOptions"),
    ])
    func `What only tunes and is not taken is left out`(fields: String, model: String, name: String) throws {
        #expect(try chat(fields, model: model)[name] == nil)
    }

    @Test(arguments: ["none", "minimal", "low", "medium", "high"])
    func `Efforts keep their word`(word: String) throws {
        #expect(
            try chat(#""reasoning_effort":"\#(word)""#, model: "openai.gpt-oss-20b")["reasoningEffort"] as? String
                == word.uppercased())
    }

    @Test func `The highest effort is high`() throws {
        #expect(try chat(#""reasoning_effort":"xhigh""#, model: "openai.gpt-5")["reasoningEffort"] as? String == "HIGH")
    }

    @Test func `Unknown fields are no reason to refuse`() throws {
        let request = try chat(
            #""thinking":{"type":"enabled"},"extra_body":{"a":[1]},"enable_thinking":true,"chat_template_kwargs":{},"n":1,"user":"u","logprobs":false"#
        )
        #expect(Set(request.keys) == ["apiFormat", "messages", "maxTokens"])
    }

    // MARK: Refusals

    @Test(arguments: [
        (#"{"messages":[{"role":"user","content":"x"}]}"#, "model"),
        (#"{"model":"","messages":[{"role":"user","content":"x"}]}"#, "model"),
        (#"{"model":5,"messages":[{"role":"user","content":"x"}]}"#, "model"), (#"{"model":"m"}"#, "messages"),
        (#"{"model":"m","messages":[]}"#, "messages"),
        (#"{"model":"m","messages":"hi"}"#, "messages"), (#"{"model":"m","messages":["hi"]}"#, "messages[0]"),
        (#"{"model":"m","messages":[{}]}"#, "messages[0]"),
        (#"{"model":"m","messages":[{"role":"king","content":"x"}]}"#, "messages[0].role"),
        (#"{"model":"m","messages":[{"role":"user","content":5}]}"#, "messages[0].content"),
        (
            #"{"model":"m","messages":[{"role":"user","content":"a"},{"role":"user","content":[{"type":"text","text":7}]}]}"#,
            "messages[1].content[0].text"
        ),
        (#"{"model":"m","messages":[{"role":"user","content":[{"type":"hologram"}]}]}"#, "messages[0].content[0].type"),
        (
            #"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"file:///etc/passwd"}}]}]}"#,
            "messages[0].content[0].image_url"
        ),
        (
            #"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/bmp;base64,AA"}}]}]}"#,
            "messages[0].content[0].image_url"
        ),
        (
            #"{"model":"m","messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"f"}}]}]}"#,
            "messages[0].content[0]"
        ),
        (#"{"model":"m","messages":[{"role":"tool","content":"x"}]}"#, "messages[0]"),
        (#"{"model":" ","messages":[{"role":"user","content":"x"}]}"#, "model"),
        (
            #"{"model":"m","messages":[{"role":"assistant","function_call":{"name":"f","arguments":"{}"}}]}"#,
            "messages[0].function_call"
        ),
        (
            #"{"model":"m","messages":[{"role":"assistant","tool_calls":[{"id":"a","type":"custom","custom":{}}]}]}"#,
            "messages[0].tool_calls[0]"
        ),
    ])
    func `A broken request names the field`(body: String, parameter: String) {
        expectRefusal(body, parameter)
    }

    @Test(arguments: [
        (#""temperature":"hot""#, "temperature"), (#""max_tokens":"5""#, "max_tokens"),
        (#""max_tokens":1.5"#, "max_tokens"), (#""stream":"yes""#, "stream"),
        (#""top_p":true"#, "top_p"), (#""n":0"#, "n"), (#""n":1000"#, "n"), (#""seed":"x""#, "seed"),
        (#""stop":5"#, "stop"), (#""stop":[5]"#, "stop[0]"),
        (#""logprobs":1"#, "logprobs"), (#""logit_bias":[]"#, "logit_bias"), (#""tools":{}"#, "tools"),
        (#""tools":[{"type":"web_search"}]"#, "tools[0].type"),
        (#""tools":[{"type":"function","function":{"name":"f"}},{"type":"code_interpreter"}]"#, "tools[1].type"),
        (#""tools":[{"type":"function","function":{"name":"a b"}}]"#, "tools[0].function.name"),
        (
            #""tools":[{"type":"function","function":{"name":"a"}},{"type":"function","function":{"name":"a.b"}}]"#,
            "tools[1].function.name"
        ), (#""tools":[{"type":"function"}]"#, "tools[0]"),
        (
            #""tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":{"type":"function","function":{"name":"g"}}"#,
            "tool_choice"
        ),
        (#""tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"maybe""#, "tool_choice"),
        (#""response_format":{"type":"xml"}"#, "response_format"), (#""response_format":"json""#, "response_format"),
        (
            #""response_format":{"type":"json_schema","json_schema":{"name":"x","schema":[]}}"#,
            "response_format.json_schema.schema"
        ),
        (#""functions":[{"name":"f"}]"#, "functions"), (#""logit_bias":{"1":"x"}"#, "logit_bias"),
        (
            #""tools":[{"type":"function","function":{"name":"f","parameters":{"type":"string"}}}]"#,
            "tools[0].function.parameters.type"
        ),
        (#""reasoning_effort":5"#, "reasoning_effort"),
    ])
    func `A broken field is named`(fields: String, parameter: String) {
        expectRefusal(#"{"model":"m","messages":[{"role":"user","content":"hi"}],"# + fields + "}", parameter)
    }

    private func expectRefusal(_ body: String, _ parameter: String) {
        let error = #expect(throws: Failure.self) { try translate(body.utf8, for: target("xai.grok-4")) }
        #expect(
            error?.status == 400 && error?.type == "invalid_request_error" && error?.param == parameter,
            "\(error?.param ?? "nil")")
        #expect(error?.message.contains("'\(parameter)'") == true)
    }

    @Test func `Broken JSON names its position`() {
        let error = #expect(throws: Failure.self) { try ChatRequest.parse(Array("{\"model\":\"m\",\n  oops}".utf8)) }
        #expect(error?.message.contains("line 2, column 3 (byte 16)") == true)
        #expect(error?.status == 400 && error?.code == "invalid_json")
    }

    @Test func `More tools than OCI takes are refused`() {
        let tools = (0..<129).map { #"{"type":"function","function":{"name":"f\#($0)"}}"# }.joined(separator: ",")
        expectRefusal(#"{"model":"m","messages":[{"role":"user","content":"hi"}],"tools":[\#(tools)]}"#, "tools")
    }

    @Test(arguments: clients, Fuzz.seeds(12))
    func `Mutated requests never crash`(golden: Golden.Case, seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var bytes = Array(golden.data)
        let tokens = ["null", "[]", "{}", "1e999", "\"\"", "true", "-0", "\"\\ud800\"", ",", "\"", "\\"].map {
            Array($0.utf8)
        }
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            let start = Int.random(in: bytes.indices, using: &random)
            let end = min(start + Int.random(in: 0...8, using: &random), bytes.count)
            bytes.replaceSubrange(start..<end, with: tokens.randomElement(using: &random) ?? [])
        }
        let model = Self.models.randomElement(using: &random) ?? ""
        do {
            _ = try translate(bytes, for: target(model))
        } catch let error as Failure {
            #expect(error.status == 400 && !error.message.isEmpty)
        }
    }
}
