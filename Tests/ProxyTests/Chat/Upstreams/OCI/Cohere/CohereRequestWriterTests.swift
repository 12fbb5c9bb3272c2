import Foundation
import Testing

@testable import Proxy
@testable import ProxyRouting

/// Requests in both Cohere dialects.
@Suite struct CohereRequestWriterTests {
    private static let cases = Golden.cases("oci/chat", "req_cohere")
    /// The chats among what real clients send.
    private static let clients = Golden.cases("clients").filter { ($0.object["messages"] as? [Any]) != nil }
    private static let command = "cohere.command-r-plus-08-2024", reasoning = "cohere.command-a-reasoning-08-2025",
        vision = "cohere.command-a-vision-07-2025"

    private func translate(_ body: some Sequence<UInt8>, for target: ChatTarget, in compartment: String = "ocid1.c")
        throws -> Golden.Object
    {
        let chat = try ChatRequest.parse(Array(body))
        let details = try Dialect(APIFormat(modelID: target.modelID), for: chat).details(of: chat, for: target)
        return try #require(try Golden.parse(details.document(in: compartment).bytes) as? Golden.Object)
    }

    private func target(_ model: String, streams: Bool = false, serving: ServingMode? = nil) -> ChatTarget {
        ChatTarget(
            serving: serving ?? ServingMode(id: model), modelID: model, defaultMaxTokens: 4000, isStreaming: streams)
    }

    private func chat(
        messages: String = #"{"role":"user","content":"hi"}"#, _ fields: String = "", model: String = command
    ) throws -> Golden.Object {
        let text = #"{"model":"m","messages":[\#(messages)]"# + (fields.isEmpty ? "" : ",") + fields + "}"
        return try #require(try translate(text.utf8, for: target(model))["chatRequest"] as? Golden.Object)
    }

    private func expectRefusal(
        of parameter: String, _ code: String, messages: String = #"{"role":"user","content":"hi"}"#,
        fields: String = "", model: String = command
    ) {
        let error = #expect(throws: Failure.self) { try chat(messages: messages, fields, model: model) }
        #expect(error?.status == 400 && error?.param == parameter && error?.code == code)
        #expect(error?.type == "invalid_request_error")
    }

    @Test func `All cases are there`() {
        #expect(Self.cases.count == 32)
        #expect(Self.clients.count >= 25)
    }

    @Test(arguments: cases)
    func `Every fixture gives its request`(golden: Golden.Case) throws {
        let context = try #require(golden.object["context"] as? Golden.Object)
        let model = try #require(context["oci_model_id"] as? String)
        #expect(APIFormat(modelID: model).rawValue == golden.object["api_format"] as? String)
        let request = try #require(golden.object["openai_request"] as? Golden.Object)
        let body = try JSONSerialization.data(withJSONObject: request)
        let target = ChatTarget(
            serving: .onDemand(modelID: model), modelID: model,
            defaultMaxTokens: try #require(context["default_max_tokens"] as? Int),
            isStreaming: request["stream"] as? Bool ?? false)
        if let expected = golden.object["expected_error"] as? Golden.Object {
            let error = #expect(throws: Failure.self) { try translate(body, for: target) }
            #expect(error?.status == expected["status"] as? Int)
            #expect(Golden.difference(try Golden.parse(try #require(error).body), expected["body"]) == nil)
        } else {
            let found = try translate(body, for: target, in: try #require(context["compartment_id"] as? String))
            #expect(Golden.difference(found, golden.object["oci_request"]) == nil)
        }
    }

    // MARK: COHERE's history

    @Test(arguments: clients, [command, reasoning, vision])
    func `What real clients send is accepted unless it needs more`(golden: Golden.Case, model: String) throws {
        do {
            let request = try #require(
                try translate(golden.data, for: target(model, streams: true))["chatRequest"] as? Golden.Object)
            if model == Self.command { try checkHistory(request) } else { try checkMessages(request) }
        } catch let error as Failure {
            let refused = ["unsupported_content", "unsupported_parameter"].contains(error.code)
            #expect(refused && error.status == 400, "\(error.message)")
            #expect(model == Self.command || golden.object.debugDescription.contains("image"), "\(error.message)")
        }
    }

    /// What the service is known to refuse.
    private func checkHistory(_ request: Golden.Object) throws {
        let history = request["chatHistory"] as? [Golden.Object] ?? []
        for entry in history where entry["role"] as? String != "TOOL" {
            #expect((entry["message"] as? String)?.isEmpty == false)
        }
        let message = try #require(request["message"] as? String)
        let hasResults = request["toolResults"] != nil
        #expect(message.isEmpty == hasResults)
        #expect(hasResults || history.last?["role"] as? String != "TOOL")
        for (entry, next) in zip(history, history.dropFirst()) where entry["role"] as? String == "TOOL" {
            #expect(next["role"] as? String != "USER")
        }
    }

    private func checkMessages(_ request: Golden.Object) throws {
        let messages = try #require(request["messages"] as? [Golden.Object])
        #expect(!messages.isEmpty)
        for message in messages {
            let content = try #require(message["content"] as? [Golden.Object])
            #expect(!content.isEmpty || message["toolCalls"] != nil)
            #expect(content.allSatisfy { ($0["text"] as? String)?.isEmpty != true })
        }
    }

    private static let call =
        #"{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}},{"id":"b","function":{"name":"g","arguments":""}}]}"#

    private func roles(_ request: Golden.Object) -> [String?] {
        (request["chatHistory"] as? [Golden.Object] ?? []).map { $0["role"] as? String }
    }

    @Test func `A question straight after results is parted from them`() throws {
        let request = try chat(
            messages:
                #"{"role":"user","content":"q"},\#(Self.call),{"role":"tool","tool_call_id":"b","content":"2"},{"role":"tool","tool_call_id":"a","content":"1"},{"role":"user","content":"and?"}"#
        )
        try checkHistory(request)
        #expect(roles(request) == ["USER", "CHATBOT", "TOOL", "CHATBOT"] && request["message"] as? String == "and?")
        #expect((request["chatHistory"] as? [Golden.Object])?.last?["message"] as? String == "1\n2")
    }

    @Test func `Several steps keep their results apart`() throws {
        let request = try chat(
            messages:
                #"{"role":"user","content":"q"},\#(Self.call),{"role":"tool","tool_call_id":"b","content":"2"},{"role":"tool","tool_call_id":"a","content":"1"},{"role":"assistant","content":"more","tool_calls":[{"id":"a","function":{"name":"h-i","arguments":"{}"}}]},{"role":"tool","tool_call_id":"a","content":"3"}"#
        )
        try checkHistory(request)
        #expect(roles(request) == ["USER", "CHATBOT", "TOOL", "CHATBOT"])
        let results = try #require(request["toolResults"] as? [Golden.Object])
        #expect(results.count == 1 && (results[0]["call"] as? Golden.Object)?["name"] as? String == "h_i")
        let earlier = try #require((request["chatHistory"] as? [Golden.Object])?[2]["toolResults"] as? [Golden.Object])
        #expect(earlier.map { ($0["outputs"] as? [[String: String]])?.first?["output"] } == ["1", "2"])
        #expect((earlier[0]["call"] as? Golden.Object)?["parameters"] as? [String: Int] == ["x": 1])
    }

    @Test func `A result without its call is refused by its place`() {
        expectRefusal(
            of: "messages[1].tool_call_id", "invalid_value",
            messages: #"{"role":"user","content":"q"},{"role":"tool","tool_call_id":"z","content":"1"}"#)
    }

    @Test(arguments: [
        (#"{broken"#, #"{"arguments":"{broken"}"#), ("[1]", #"{"arguments":"[1]"}"#), ("null", "{}"), (" ", "{}"),
        (#"{\"x\":\"\\u00e9\"}"#, #"{"x":"é"}"#),
    ])
    func `Arguments that are no object are kept`(arguments: String, parameters: String) throws {
        let request = try chat(
            messages:
                #"{"role":"user","content":"q"},{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f","arguments":"\#(arguments)"}}]},{"role":"tool","tool_call_id":"a","content":"1"}"#
        )
        let call = ((request["toolResults"] as? [Golden.Object])?.first?["call"] as? Golden.Object)?["parameters"]
        #expect(Golden.difference(call, try Golden.parse(parameters.utf8)) == nil)
    }

    @Test func `Some chats ask nothing at their end`() throws {
        let answered = try chat(
            messages:
                #"{"role":"user","content":"q"},{"role":"assistant","content":"so"},{"role":"system","content":"be"}"#)
        #expect(
            answered["message"] as? String == "q" && roles(answered) == ["CHATBOT"]
                && answered["preambleOverride"] as? String == "be")
        let instructed = try chat(
            messages:
                #"{"role":"system","content":"one"},{"role":"developer","content":[{"type":"text","text":"two"}]}"#)
        #expect(instructed["message"] as? String == "one\ntwo" && instructed["preambleOverride"] == nil)
        let silent = try chat(messages: #"{"role":"user","content":null},{"role":"system","content":""}"#)
        #expect(silent["message"] as? String == " " && silent["preambleOverride"] == nil)
        let spoken = try chat(messages: #"{"role":"assistant","content":null,"refusal":"no"}"#)
        #expect(
            spoken["message"] as? String == " "
                && (spoken["chatHistory"] as? [Golden.Object])?.first?["message"] as? String == "no")
    }

    // MARK: Tools

    private func parameter(_ schema: String) throws -> Golden.Object {
        let request = try chat(
            #""tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"p":\#(schema)}}}}]"#
        )
        let tool = try #require((request["tools"] as? [Golden.Object])?.first)
        return try #require((tool["parameterDefinitions"] as? Golden.Object)?["p"] as? Golden.Object)
    }

    @Test(arguments: [
        (#"{"type":"string"}"#, "str", "p"),
        (
            #"{"type":["null","integer"],"minimum":1,"maximum":9,"description":"Days"}"#, "int",
            "Days. At least 1; at most 9"
        ),
        (#"{"anyOf":[{"type":"number"},{"type":"null"}],"description":"How far?"}"#, "float", "How far?"),
        (#"{"enum":["a","b"],"description":"Unit."}"#, "str", "Unit. One of: a, b"),
        (#"{"type":"string","format":"uri"}"#, "str", "Format: uri"),
        (#"{"type":"array","items":{"type":"integer"}}"#, "list", "Items: integer"),
        (#"{"type":"array"}"#, "list", "p"), (#"{"type":"object","properties":{}}"#, "dict", "p"),
        (#"{"type":"boolean","default":true}"#, "bool", "Default: true"), (#"true"#, "str", "p"),
        (#"{"type":"integer","enum":[1,2]}"#, "int", "One of: 1, 2"),
    ])
    func `What types cannot say is in the description`(schema: String, type: String, description: String) throws {
        let found = try parameter(schema)
        #expect(found["type"] as? String == type)
        #expect(found["description"] as? String == description)
        #expect(found["isRequired"] as? Bool == false)
    }

    @Test func `Nested schemas are told in words`() throws {
        for schema in [
            ##"{"type":"object","description":"Trip","properties":{"to":{"$ref":"#/$defs/City"}},"required":["to"]}"##,
            ##"{"type":"array","description":"Trips","items":{"$ref":"#/$defs/City"}}"##,
        ] {
            let request = try chat(
                #""tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","$defs":{"City":{"type":"object","properties":{"name":{"type":"string","description":"Its name"}}}},"properties":{"p":\#(schema)},"required":["p"]}}}]"#
            )
            let parameter =
                ((request["tools"] as? [Golden.Object])?.first?["parameterDefinitions"] as? Golden.Object)?["p"]
                as? Golden.Object
            let text = try #require(parameter?["description"] as? String)
            #expect(
                text.hasPrefix("Trip") && text.contains("JSON schema") && text.contains("Its name")
                    && !text.contains("$ref"))
            let json = try #require(text.firstIndex(of: "{"))
            #expect(throws: Never.self) { try Golden.parse(text[json...].utf8) }
            #expect(parameter?["isRequired"] as? Bool == true)
        }
    }

    @Test func `Tools without parameters and names alike stay apart`() throws {
        let tools = ["a-b", "a_b", "a.b", "7up"].map { #"{"type":"function","function":{"name":"\#($0)"}}"# }.joined(
            separator: ",")
        let found = try #require(try chat(#""tools":[\#(tools)]"#)["tools"] as? [Golden.Object])
        #expect(found.map { $0["name"] as? String } == ["a_b_2", "a_b", "a_b_3", "_7up"])
        #expect(found.map { $0["description"] as? String } == ["a-b", "a_b", "a.b", "7up"])
        #expect(found.allSatisfy { $0["parameterDefinitions"] == nil })
    }

    private static let tool = #""tools":[{"type":"function","function":{"name":"f"}}]"#

    @Test func `What a dialect lacks is refused by name`() {
        expectRefusal(of: "n", "unsupported_parameter", fields: #""n":2"#, model: Self.reasoning)
        expectRefusal(
            of: "tool_choice", "unsupported_parameter",
            fields: Self.tool + #","tool_choice":{"type":"function","function":{"name":"f"}}"#)
        expectRefusal(
            of: "tools[0].function.name", "invalid_value",
            fields: #""tools":[{"type":"function","function":{"name":"a.b"}}]"#, model: Self.reasoning)
        expectRefusal(
            of: "response_format.json_schema.schema", "invalid_type",
            fields: #""response_format":{"type":"json_schema","json_schema":{"name":"x","schema":7}}"#)
    }

    @Test(arguments: [
        (#"{"type":"image_url","image_url":"data:image/png;base64,AAAA"}"#, [command, reasoning]),
        (#"{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}"#, [command, reasoning, vision]),
        (#"{"type":"file","file":{"file_data":"data:application/pdf;base64,AAAA"}}"#, [command, reasoning, vision]),
    ])
    func `What a model cannot see or hear is refused`(part: String, models: [String]) {
        for model in models {
            expectRefusal(
                of: "messages", "unsupported_content",
                messages:
                    #"{"role":"system","content":"x"},{"role":"user","content":[{"type":"text","text":"look"},\#(part)]}"#,
                model: model)
        }
    }

    // MARK: Tuning

    @Test(
        arguments: [command, reasoning],
        [
            (#""temperature":1.7"#, "temperature", 1.0), (#""temperature":-1"#, "temperature", 0),
            (#""top_p":1.5"#, "topP", 1), (#""top_k":9000"#, "topK", 500),
            (#""top_k":-1"#, "topK", 0), (#""frequency_penalty":2"#, "frequencyPenalty", 1),
            (#""presence_penalty":0.5"#, "presencePenalty", 0.5),
            (#""seed":1e30"#, "seed", 2_147_483_647), (#""max_tokens":-1"#, "maxTokens", 4000),
            (#""max_tokens":50"#, "maxTokens", 50),
        ])
    func `Numbers are brought into range`(model: String, field: (String, String, Double)) throws {
        #expect((try chat(field.0, model: model)[field.1] as? NSNumber)?.doubleValue == field.2)
    }

    @Test(
        arguments: [command, vision],
        [
            #""presence_penalty":-1,"frequency_penalty":0"#, #""logit_bias":{"1":2}"#, #""reasoning_effort":"high""#,
            #""parallel_tool_calls":true"#, #""stop":[]"#,
            #""metadata":{"a":"b"},"user":"u","verbosity":"low","service_tier":"auto","store":true,"whatever":{}"#,
            #""tools":[],"tool_choice":"required""#, #""n":1"#,
            #""logprobs":false,"top_logprobs":null"#,
        ])
    func `What is not taken is left out`(model: String, fields: String) throws {
        #expect(
            Set(try chat(fields, model: model).keys).isSubset(of: ["apiFormat", "messages", "message", "maxTokens"]))
    }

    @Test func `Limits are those of the model on shared clusters only`() throws {
        #expect(try chat(#""max_tokens":90000"#, model: Self.command)["maxTokens"] as? Int == 4000)
        #expect(try chat(#""max_tokens":90000"#, model: Self.reasoning)["maxTokens"] as? Int == 32_000)
        let body = #"{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":90000}"#
        let details = try translate(
            body.utf8, for: target(Self.command, serving: .dedicated(endpointID: "ocid1.generativeaiendpoint.oc1..x")))
        #expect((details["chatRequest"] as? Golden.Object)?["maxTokens"] as? Int == 90_000)
        #expect((details["servingMode"] as? [String: String])?["endpointId"] == "ocid1.generativeaiendpoint.oc1..x")
    }

    /// As learnt from a refusal.
    @Test(
        arguments: [command, reasoning],
        ["temperature", "topP", "topK", "seed", "stopSequences", "thinking", "frequencyPenalty"])
    func `What a model has refused is left out`(model: String, field: String) throws {
        let message = "Invalid '\(field)': Unsupported parameter."
        let error = OCIErrorReader.translate(
            status: 400, retryAfter: nil,
            body: try JSONEncoder().encode(["code": "400", "message": message]).map { $0 }, account: "a")
        let lesson = try #require(error.lesson(for: .of(model)))
        let body =
            #"{"model":"m","messages":[{"role":"user","content":"hi"}],"temperature":1,"top_p":0.5,"top_k":3,"seed":1,"stop":"x","reasoning_effort":"low","frequency_penalty":0.5}"#
        func keys(_ family: ModelFamily) throws -> Set<String> {
            let target = ChatTarget(
                serving: .onDemand(modelID: model), modelID: model, family: family, defaultMaxTokens: 9,
                isStreaming: false)
            return Set(try #require(try translate(body.utf8, for: target)["chatRequest"] as? Golden.Object).keys)
        }
        let before = try keys(.of(model))
        #expect(before.contains(field) || model == Self.command && field == "thinking")
        #expect(try keys(ModelFamily.of(model).applying([lesson])) == before.subtracting([field]))
    }

    @Test func `Only so many texts stop an answer`() throws {
        #expect(
            try chat(#""stop":["1","2","3","4","5","6"]"#)["stopSequences"] as? [String] == ["1", "2", "3", "4", "5"])
    }

    @Test(
        arguments: [("low", "ENABLED"), ("XHIGH", "ENABLED"), ("none", "DISABLED"), ("ultra", nil)]
            as [(String, String?)])
    func `Thinking is on or off`(effort: String, type: String?) throws {
        #expect(
            (try chat(#""reasoning_effort":"\#(effort)""#, model: Self.reasoning)["thinking"] as? [String: String])?[
                "type"] == type)
    }

    // MARK: COHEREV2's messages

    @Test func `Results follow their calls in the calls' order whatever stands between`() throws {
        let request = try chat(
            messages:
                #"{"role":"developer","content":"be"},\#(Self.call),{"role":"tool","tool_call_id":"b","content":"2"},{"role":"user","content":""},{"role":"tool","tool_call_id":"a","content":""}"#,
            model: Self.reasoning)
        let messages = try #require(request["messages"] as? [Golden.Object])
        #expect(messages.map { $0["role"] as? String } == ["SYSTEM", "ASSISTANT", "TOOL", "TOOL", "USER"])
        #expect(
            messages.map { ($0["content"] as? [Golden.Object])?.first?["text"] as? String } == [
                "be", nil, " ", "2", " ",
            ])
        #expect(messages.map { $0["toolCallId"] as? String } == [nil, nil, "a", "b", nil])
        let calls = try #require(messages[1]["toolCalls"] as? [Golden.Object])
        #expect(calls.map { ($0["function"] as? Golden.Object)?["arguments"] as? String } == [#"{"x":1}"#, "{}"])
    }

    @Test(arguments: [
        ("cohere.command-a-03-2025", APIFormat.cohereV2), ("COHERE.Command-R-08-2024", .cohere),
        ("cohere.command-a-vision-07-2025", .cohereV2),
        ("cohere.command-a-vision", .cohereV2), ("cohere.command-a-reasoning-08-2025", .cohereV2),
        ("cohere.command-a-translate-08-2025", .cohere),
        ("cohere.some-new-model", .cohere), ("xai.grok-4", .generic), ("mistral.new", .generic),
        ("coherent.x", .generic),
    ])
    func `The model decides the format`(model: String, format: APIFormat) {
        #expect(APIFormat(modelID: model) == format)
    }

    /// COHERE's tools get names of its own; COHEREV2's keep theirs.
    @Test func `A tool that COHEREV 2 cannot name is called in COHERE`() throws {
        for (name, format) in [("a-b", APIFormat.cohereV2), ("a.b", .cohere)] {
            let chat = try ChatRequest.parse(
                Array(
                    #"{"model":"m","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"\#(name)"}}]}"#
                        .utf8))
            #expect(APIFormat.cohereV2.suited(to: chat, of: "cohere.command-a-03-2025") == format)
            #expect(
                APIFormat.cohereV2.suited(to: chat, of: "cohere.command-a-reasoning") == .cohereV2
                    && APIFormat.generic.suited(to: chat, of: "xai.grok-4") == .generic)
        }
    }
}
