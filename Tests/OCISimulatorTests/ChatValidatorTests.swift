import TestFixtures
import Testing

@testable import OCISimulator

@Suite struct ChatValidatorTests {
    /// The fixtures that hold an OCI request.
    static let accepted = Fixtures.names(in: "oci/chat", prefix: "req_").filter { name in
        (try? Fixtures.json("oci/chat/" + name))?["oci_request"] != nil
    }

    /// A catalogue that has the model and the endpoint of any fixture.
    private func validator(for request: JSON) -> ChatValidator {
        let region = Self.region
        let fixture = "ocid1.generativeaiendpoint.oc1.\(region).amaaaaaaendpointfixture"
        var models = Catalogue.usual
        let id = request["servingMode"]?["modelId"]?.string
        if let id, !models.contains(where: { $0.name == id }) {
            models.append(CatalogueModel(id, vendor: "any", "any"))
        }
        if request["servingMode"]?["endpointId"]?.string == fixture {
            models.append(CatalogueModel("fixture", vendor: "meta", "fixture").with { $0.isDedicatedOnly = true })
        }
        return ChatValidator(Catalogue(models))
    }

    private static let region = "us-chicago-1"

    private func refusal(_ request: JSON) -> ChatValidator.Refusal? {
        do {
            _ = try validator(for: request).validate(request, region: Self.region, compartments: [])
            return nil
        } catch { return error }
    }

    @Test func `There are fixtures`() { #expect(Self.accepted.count == 65) }

    @Test(arguments: accepted) func `Request of the fixture is accepted`(name: String) throws {
        let request = try #require(try Fixtures.json("oci/chat/" + name)["oci_request"])
        let refusal = refusal(request)
        #expect(refusal == nil, "\(refusal?.detail ?? "")")
    }

    @Test(arguments: accepted) func `Unknown keys and nulls are refused everywhere`(name: String) throws {
        let request = try #require(try Fixtures.json("oci/chat/" + name)["oci_request"])
        for stranger in [JSON.string("x"), .null] {
            for mutant in Mutation.withStranger(request, value: stranger) {
                #expect(refusal(mutant)?.error == .wrongFormat, "\(mutant.text)")
            }
        }
    }

    @Test(arguments: accepted) func `Wrong types are refused`(name: String) throws {
        let request = try #require(try Fixtures.json("oci/chat/" + name)["oci_request"])
        for mutant in Mutation.withWrongTypes(request) {
            #expect(refusal(mutant)?.error == .wrongFormat, "\(mutant.text)")
        }
    }

    // MARK: Single rules

    static func details(_ model: String, _ chatRequest: JSON) -> JSON {
        [
            "compartmentId": "ocid1.compartment.oc1..x",
            "servingMode": ["servingType": "ON_DEMAND", "modelId": .string(model)], "chatRequest": chatRequest,
        ]
    }

    /// A GENERIC request with one user message and what else is given.
    static func generic(_ model: String, _ members: JSON = [:]) -> JSON {
        var request: JSON = [
            "apiFormat": "GENERIC", "messages": [["role": "USER", "content": [["type": "TEXT", "text": "Hi"]]]],
        ]
        for member in members.object?.members ?? [] { request[member.name] = member.value }
        return details(model, request)
    }

    static func tool(_ parameters: JSON?) -> JSON {
        var tool: JSON = ["type": "FUNCTION", "name": "f", "description": "d"]
        tool["parameters"] = parameters
        return ["tools": [tool]]
    }

    static let call: JSON = ["id": "call_1", "type": "FUNCTION", "name": "f", "arguments": "{}"]

    static func conversation(_ messages: JSON...) -> JSON {
        ["messages": .array([["role": "USER", "content": [["type": "TEXT", "text": "Hi"]]]] + messages)]
    }

    static func text(_ text: String) -> JSON { [["type": "TEXT", "text": .string(text)]] }

    struct Rule: Sendable, CustomTestStringConvertible {
        let name: String
        let request: JSON
        /// Nil: accepted.
        let status: Int?
        /// Part of the message.
        var message = ""
        var testDescription: String { name }
    }

    static let rules: [Rule] = [
        Rule(name: "plain", request: generic("xai.grok-4"), status: nil),
        Rule(
            name: "text as bare string",
            request: generic("xai.grok-4", ["messages": [["role": "USER", "content": "Hi"]]]), status: 400,
            message: "Please pass in correct format of request"),
        Rule(name: "no messages", request: generic("xai.grok-4", ["messages": []]), status: 400),
        Rule(name: "fraction as integer", request: generic("xai.grok-4", ["maxTokens": 1.5]), status: 400),
        Rule(
            name: "COHERE model, GENERIC request", request: generic("cohere.command-r-plus-08-2024"), status: 400,
            message: "Chat request type does not match serving model."),
        Rule(
            name: "GENERIC model, COHERE request",
            request: details("xai.grok-4", ["apiFormat": "COHERE", "message": "Hi"]), status: 400,
            message: "Chat request type does not match serving model."),
        Rule(
            name: "reasoning model, COHERE request",
            request: details("cohere.command-a-reasoning-08-2025", ["apiFormat": "COHERE", "message": "Hi"]),
            status: 400, message: "Chat request type does not match"),
        Rule(
            name: "command-a takes COHERE",
            request: details("cohere.command-a-03-2025", ["apiFormat": "COHERE", "message": "Hi"]), status: nil),
        Rule(
            name: "command-a takes COHEREV2",
            request: details(
                "cohere.command-a-03-2025",
                ["apiFormat": "COHEREV2", "messages": [["role": "USER", "content": text("Hi")]]]), status: nil),
        Rule(
            name: "retired", request: generic("meta.llama-3.1-70b-instruct"), status: 400,
            message: "Model meta.llama-3.1-70b-instruct 1.0.0 is retired"),
        Rule(name: "being made", request: generic("meta.llama-9-8b-instruct"), status: 404),
        Rule(
            name: "tool result without call",
            request: generic(
                "xai.grok-4", conversation(["role": "TOOL", "content": text("1"), "toolCallId": "call_x"])),
            status: 400,
            message:
                "Invalid parameter: 'toolCallId' of 'call_x' not found in 'toolCalls' of previous message."),
        Rule(
            name: "tool result after a user message",
            request: generic(
                "xai.grok-4",
                conversation(
                    ["role": "ASSISTANT", "toolCalls": [call]], ["role": "USER", "content": text("and?")],
                    ["role": "TOOL", "content": text("1"), "toolCallId": "call_1"])), status: 400,
            message: "'call_1' not found"),
        Rule(
            name: "tool loop",
            request: generic(
                "xai.grok-4",
                conversation(
                    ["role": "ASSISTANT", "toolCalls": [call]],
                    ["role": "TOOL", "content": text("1"), "toolCallId": "call_1"])), status: nil),
        Rule(
            name: "image by URL",
            request: generic(
                "xai.grok-4",
                [
                    "messages": [
                        [
                            "role": "USER",
                            "content": [["type": "IMAGE", "imageUrl": ["url": "https://example.com/a.png"]]],
                        ]
                    ]
                ]), status: 400, message: "data URI"),
        Rule(
            name: "grok-4 and stop", request: generic("xai.grok-4", ["stop": ["END"]]), status: 400,
            message: "Argument not supported on this model: stop"),
        Rule(
            name: "grok-3-mini and stop", request: generic("xai.grok-3-mini", ["stop": ["END"]]), status: 400,
            message: "Argument not supported on this model: stop"),
        Rule(name: "grok-3 and stop", request: generic("xai.grok-3", ["stop": ["END"]]), status: nil),
        Rule(
            name: "grok-4 and effort", request: generic("xai.grok-4", ["reasoningEffort": "LOW"]), status: 400,
            message: "does not support parameter reasoningEffort"),
        Rule(
            name: "grok-3-mini and effort", request: generic("xai.grok-3-mini", ["reasoningEffort": "LOW"]),
            status: nil),
        Rule(
            name: "grok function without schema", request: generic("xai.grok-4", tool(nil)), status: 400,
            message: "Invalid function schema."),
        Rule(
            name: "grok function with empty schema", request: generic("xai.grok-4", tool([:])), status: 400,
            message: "Invalid function schema."),
        Rule(
            name: "llama function without schema", request: generic("meta.llama-3.3-70b-instruct", tool(nil)),
            status: nil),
        Rule(
            name: "$ref",
            request: generic(
                "meta.llama-3.3-70b-instruct",
                tool(["type": "object", "properties": ["a": ["$ref": "#/$defs/A"]]])), status: 400,
            message: "Invalid function schema."),
        Rule(
            name: "gpt-5 and maxTokens", request: generic("openai.gpt-5", ["maxTokens": 9]), status: 400,
            message: "'maxTokens' is not supported with this model. Use 'maxCompletionTokens' instead."),
        Rule(
            name: "gpt-oss and maxTokens", request: generic("openai.gpt-oss-120b", ["maxTokens": 9]), status: nil),
        Rule(
            name: "gpt-5 and temperature", request: generic("openai.gpt-5", ["temperature": 0.2]), status: 400,
            message: "\"param\":\"temperature\""),
        Rule(
            name: "gpt-5 and default temperature", request: generic("openai.gpt-5", ["temperature": 1]), status: nil),
        Rule(
            name: "gpt-4.1 and temperature", request: generic("openai.gpt-4.1", ["temperature": 0.2]), status: nil),
        Rule(
            name: "gpt-5 and topP", request: generic("openai.gpt-5", ["topP": 0.5]), status: 400,
            message: "unsupported_parameter"),
        Rule(
            name: "gemini call without text",
            request: generic(
                "google.gemini-2.5-flash",
                conversation(
                    ["role": "ASSISTANT", "toolCalls": [call]],
                    ["role": "TOOL", "content": text("1"), "toolCallId": "call_1"])), status: 500),
        Rule(
            name: "gemini parallel calls",
            request: generic(
                "google.gemini-2.5-flash",
                conversation(
                    [
                        "role": "ASSISTANT", "content": text("."),
                        "toolCalls": [
                            call, ["id": "call_2", "type": "FUNCTION", "name": "f", "arguments": "{}"],
                        ],
                    ],
                    ["role": "TOOL", "content": text("1"), "toolCallId": "call_1"],
                    ["role": "TOOL", "content": text("2"), "toolCallId": "call_2"])), status: 400,
            message: "number of function response parts is equal"),
        Rule(
            name: "gemini exclusiveMinimum",
            request: generic(
                "google.gemini-2.5-flash",
                tool(["type": "object", "properties": ["a": ["type": "integer", "exclusiveMinimum": 0]]])),
            status: 400, message: "exclusiveMinimum"),
        Rule(
            name: "cohere message beside results",
            request: details(
                "cohere.command-r-plus-08-2024",
                [
                    "apiFormat": "COHERE", "message": "Hi",
                    "toolResults": [["call": ["name": "f", "parameters": [:]], "outputs": [["output": "1"]]]],
                ]), status: 400, message: "cannot specify both message and tool_results"),
        Rule(
            name: "cohere message beside results, single step",
            request: details(
                "cohere.command-r-plus-08-2024",
                [
                    "apiFormat": "COHERE", "message": "Hi", "isForceSingleStep": true,
                    "toolResults": [["call": ["name": "f", "parameters": [:]], "outputs": [["output": "1"]]]],
                ]), status: nil),
        Rule(
            name: "cohere empty history message",
            request: details(
                "cohere.command-r-plus-08-2024",
                ["apiFormat": "COHERE", "message": "Hi", "chatHistory": [["role": "CHATBOT", "message": ""]]]),
            status: 400, message: "all elements in history must have a message"),
        Rule(
            name: "cohere tool without description",
            request: details(
                "cohere.command-r-plus-08-2024",
                ["apiFormat": "COHERE", "message": "Hi", "tools": [["name": "f", "description": ""]]]), status: 400,
            message: "Please pass in correct format"),
        Rule(
            name: "cohere JSON schema type",
            request: details(
                "cohere.command-r-plus-08-2024",
                [
                    "apiFormat": "COHERE", "message": "Hi",
                    "tools": [
                        [
                            "name": "f", "description": "d",
                            "parameterDefinitions": ["a": ["type": "string", "isRequired": true]],
                        ]
                    ],
                ]), status: 400, message: "Please pass in correct format"),
        Rule(
            name: "cohere type in capitals",
            request: details(
                "cohere.command-r-plus-08-2024",
                [
                    "apiFormat": "COHERE", "message": "Hi",
                    "tools": [
                        [
                            "name": "f", "description": "d",
                            "parameterDefinitions": ["a": ["type": "List", "isRequired": true]],
                        ]
                    ],
                ]), status: 500, message: "internal server error"),
    ]

    @Test(arguments: rules) func `Rule holds`(rule: Rule) {
        let refusal = refusal(rule.request)
        #expect(refusal?.error.status == rule.status, "\(refusal?.detail ?? "accepted")")
        if !rule.message.isEmpty { #expect(refusal?.error.message.contains(rule.message) == true) }
    }

    @Test func `Vendor errors are JSON within JSON`() throws {
        let xai = try #require(refusal(Self.generic("xai.grok-4", ["stop": ["END"]])))
        let inner = try JSONParser.parse(Array(xai.error.message.utf8))
        #expect(inner["code"]?.string == "Client specified an invalid argument")
        let openAI = try #require(refusal(Self.generic("openai.gpt-5", ["temperature": 0.2])))
        let error = try JSONParser.parse(Array(openAI.error.message.utf8))["error"]
        #expect(error?["code"]?.string == "unsupported_value")
        #expect(error?["type"]?.string == "invalid_request_error")
    }

    @Test func `Model is known by its OCID in its region only`() throws {
        let catalogue = Catalogue()
        let ocid = try #require(catalogue.model("xai.grok-4", in: "us-chicago-1")).ocid(in: "us-chicago-1")
        let validator = ChatValidator(catalogue)
        let request = Self.generic(ocid)
        #expect(throws: Never.self) {
            try validator.validate(request, region: "us-chicago-1", compartments: [])
        }
        #expect(throws: ChatValidator.Refusal.self) {
            try validator.validate(request, region: "us-ashburn-1", compartments: [])
        }
        #expect(throws: ChatValidator.Refusal.self) {
            try validator.validate(Self.generic("xai.grok-4"), region: "eu-frankfurt-1", compartments: [])
        }
    }

    @Test func `Unknown model is not found`() {
        let refusal = #expect(throws: ChatValidator.Refusal.self) {
            try ChatValidator(Catalogue()).validate(
                Self.generic("xai.grok-99"), region: "us-chicago-1", compartments: [])
        }
        #expect(refusal?.error == .notFound)
    }

    @Test func `Foreign compartment is not found`() {
        let refusal = #expect(throws: ChatValidator.Refusal.self) {
            try ChatValidator(Catalogue()).validate(
                Self.generic("xai.grok-4"), region: "us-chicago-1", compartments: ["ocid1.compartment.oc1..y"])
        }
        #expect(refusal?.error == .notAuthorizedOrNotFound)
    }
}

/// Changes that make a good request a bad one, each at another place.
enum Mutation {
    /// Members whose content the service does not look into.
    private static let free: Set = [
        "parameters", "schema", "metadata", "logitBias", "parameterDefinitions", "outputs", "document", "documents",
    ]

    /// One request per object in it, with an unknown member there.
    static func withStranger(_ value: JSON, value stranger: JSON) -> [JSON] {
        switch value {
        case .object(let object):
            var here = value
            here["strangerKey"] = stranger
            return [here] + inner(object) { withStranger($0, value: stranger) }
        case .array(let elements): return each(elements) { withStranger($0, value: stranger) }
        case .null, .bool, .integer, .number, .string: return []
        }
    }

    /// One request per scalar in it, with another type there.
    static func withWrongTypes(_ value: JSON) -> [JSON] {
        switch value {
        case .object(let object): inner(object, withWrongTypes)
        case .array(let elements): each(elements, withWrongTypes)
        case .string: [.integer(1), .array([value])]
        case .bool, .integer, .number: [.string("x"), .array([value])]
        case .null: []
        }
    }

    private static func inner(_ object: JSONObject, _ mutate: (JSON) -> [JSON]) -> [JSON] {
        object.members.filter { !free.contains($0.name) }.flatMap { member in
            mutate(member.value).map { mutant in
                var copy = object
                copy[member.name] = mutant
                return .object(copy)
            }
        }
    }

    private static func each(_ elements: [JSON], _ mutate: (JSON) -> [JSON]) -> [JSON] {
        elements.indices.flatMap { index in
            mutate(elements[index]).map { mutant in
                var copy = elements
                copy[index] = mutant
                return .array(copy)
            }
        }
    }
}
