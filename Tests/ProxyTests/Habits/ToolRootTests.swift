import Foundation
import Testing

@testable import Proxy
@testable import ProxyRouting

/// Tools as agents write them: what stands at the root of their parameters, and what may be null.
@Suite struct ToolRootTests {
    private static let families = [
        "xai.grok-4", "openai.gpt-5", "openai.gpt-oss-120b", "meta.llama-3.3-70b-instruct", "google.gemini-2.5-pro",
        "cohere.command-a-reasoning", "vendor.new",
    ]

    private func parameters(_ schema: String, for model: String) throws -> Golden.Object {
        let body =
            #"{"model":"m","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f","parameters":\#(schema)}}]}"#
        let chat = try ChatRequest.parse(Array(body.utf8))
        let target = ChatTarget(
            serving: .onDemand(modelID: model), modelID: model, defaultMaxTokens: 100, isStreaming: false)
        let details = try Dialect(APIFormat(modelID: model), for: chat).details(of: chat, for: target)
        let root = try #require(try Golden.parse(details.document(in: "c").bytes) as? Golden.Object)
        let request = try #require(root["chatRequest"] as? Golden.Object)
        let tool = try #require((request["tools"] as? [Golden.Object])?.first)
        return ((tool["function"] as? Golden.Object) ?? tool)["parameters"] as? Golden.Object ?? tool[
            "parameterDefinitions"] as? Golden.Object ?? [:]
    }

    private static let roots: [(schema: String, properties: Set<String>, required: Set<String>)] = [
        (
            #"{"anyOf":[{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]},{"type":"object","properties":{"b":{"type":"string"}},"required":["b"]}]}"#,
            ["a", "b"], []
        ),
        (
            #"{"type":"object","oneOf":[{"properties":{"op":{"const":"add"},"x":{"type":"integer"}},"required":["op","x"]},{"properties":{"op":{"const":"del"}},"required":["op"]}]}"#,
            ["op", "x"], ["op"]
        ),
        (
            #"{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"required":["a"],"anyOf":[{"required":["b"]},{"not":{"required":["b"]}}]}"#,
            ["a", "b"], ["a"]
        ),
        (
            #"{"allOf":[{"anyOf":[{"properties":{"a":{"type":"string"}}},{"properties":{"b":{"type":"string"}}}]},{"properties":{"c":{"type":"string"}},"required":["c"]}]}"#,
            ["a", "b", "c"], ["c"]
        ),
        (
            ##"{"$ref":"#/$defs/A","$defs":{"A":{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}}}"##,
            ["a"], ["a"]
        ),
        (
            ##"{"oneOf":[{"$ref":"#/$defs/A"},{"$ref":"#/$defs/B"}],"$defs":{"A":{"type":"object","properties":{"a":{"type":"string"}}},"B":{"type":"object","properties":{"b":{"type":"string"}}}}}"##,
            ["a", "b"], []
        ),
        (#"{"type":["object","null"],"properties":{"a":{"type":"string"}}}"#, ["a"], []),
        (#"{"type":"OBJECT","properties":{"a":{"type":"STRING"}}}"#, ["a"], []),
        (#"{"anyOf":[{"type":"object","properties":{"a":{"type":"string"}}},{"type":"null"}]}"#, ["a"], []),
        (#"{"type":"object","properties":{"a":{"type":"string"}},"not":{"required":["b"]}}"#, ["a"], []),
        ("[]", [], []), ("true", [], []), ("false", [], []), ("null", [], []), ("{}", [], []),
        (#"{"type":"object","properties":[],"required":[]}"#, [], []),
        (#"{"type":"object","properties":null}"#, [], []),
    ]

    @Test(arguments: roots, families)
    func `Every root is an object with all properties`(
        root: (schema: String, properties: Set<String>, required: Set<String>), model: String
    ) throws {
        let found = try parameters(root.schema, for: model)
        #expect(found["type"] as? String == "object")
        #expect(Set((found["properties"] as? Golden.Object ?? [:]).keys) == root.properties)
        #expect(Set(found["required"] as? [String] ?? []) == root.required)
        for keyword in ["anyOf", "oneOf", "allOf", "not", "enum", "const", "$ref", "$defs"] {
            #expect(found[keyword] == nil, "\(keyword)")
        }
    }

    @Test(arguments: roots)
    func `Cohere gets all parameters`(root: (schema: String, properties: Set<String>, required: Set<String>)) throws {
        let found = try parameters(root.schema, for: "cohere.command-r-plus")
        #expect(Set(found.keys) == root.properties)
        #expect(
            Set(found.filter { ($0.value as? Golden.Object)?["isRequired"] as? Bool == true }.keys) == root.required)
    }

    @Test func `What belongs together is said`() throws {
        let found = try parameters(Self.roots[1].schema, for: "xai.grok-4")
        let op = (found["properties"] as? Golden.Object)?["op"] as? Golden.Object
        #expect(op?["enum"] as? [String] == ["add", "del"] && op?["const"] == nil)
        let text = try #require(found["description"] as? String)
        #expect(text.contains(#"op = "add" and x"#) && text.contains(#"op = "del""#))
        // Branches that disagree.
        let union = #"{"anyOf":[{"properties":{"v":{"type":"string"}}},{"properties":{"v":{"type":"integer"}}}]}"#
        let grok = (try parameters(union, for: "xai.grok-4")["properties"] as? Golden.Object)?["v"] as? Golden.Object
        #expect((grok?["anyOf"] as? [Any])?.count == 2)
        let gemini =
            (try parameters(union, for: "google.gemini-2.5-pro")["properties"] as? Golden.Object)?["v"]
            as? Golden.Object
        #expect(gemini?["type"] as? String == "string" && gemini?["description"] as? String == "or integer")
    }

    @Test func `An array is no object`() {
        for schema in [#"{"type":"array","items":{"type":"string"}}"#, #"{"type":"string"}"#, #"["a"]"#, "7"] {
            #expect(throws: Failure.self) { try parameters(schema, for: "xai.grok-4") }
        }
    }

    // MARK: Null

    private static let nullable = #"""
        {"type":"object","properties":{"city":{"type":"string"},"days":{"anyOf":[{"type":"integer"},{"type":"null"}]},
         "u":{"type":["string","null"],"enum":["c","f",null]},"n":{"type":"string","nullable":true}},"required":["city","days","u","n"],"additionalProperties":false}
        """#

    @Test(arguments: ["xai.grok-4", "xai.grok-3-mini", "openai.gpt-5", "openai.gpt-oss-120b"])
    func `Null stays where it is taken`(model: String) throws {
        let found = try parameters(Self.nullable, for: model)
        let properties = try #require(found["properties"] as? Golden.Object)
        #expect(
            Golden.difference(
                properties["days"], try Golden.parse(#"{"anyOf":[{"type":"integer"},{"type":"null"}]}"#.utf8)) == nil)
        #expect(
            Golden.difference(
                properties["u"], try Golden.parse(#"{"type":["string","null"],"enum":["c","f",null]}"#.utf8)) == nil)
        #expect(found["required"] as? [String] == ["city", "days", "u", "n"])
    }

    @Test(arguments: [
        "meta.llama-3.3-70b-instruct", "google.gemini-2.5-pro", "cohere.command-a-reasoning", "vendor.new",
    ])
    func `Elsewhere it may be left out`(model: String) throws {
        let found = try parameters(Self.nullable, for: model)
        let properties = try #require(found["properties"] as? Golden.Object)
        #expect(found["required"] as? [String] == ["city"])
        for name in ["days", "u", "n"] {
            let property = try #require(properties[name] as? Golden.Object)
            #expect(
                property["description"] as? String == "may be left out" && property["type"] is String
                    && property["anyOf"] == nil)
        }
    }

    @Test func `Cohere is told likewise`() throws {
        let found = try parameters(Self.nullable, for: "cohere.command-r-plus")
        for name in ["days", "u", "n"] {
            let property = try #require(found[name] as? Golden.Object)
            #expect(
                property["isRequired"] as? Bool == false
                    && (property["description"] as? String)?.lowercased().contains("may be left out") == true)
        }
    }

    /// Each union is joined once, however many there are.
    @Test func `Joining costs what it reads`() throws {
        for shape in [
            { n in
                #"{"allOf":[\#((0..<n).map { #"{"anyOf":[{"properties":{"p\#($0)":{}}},{"properties":{"q\#($0)":{}},"required":["q\#($0)"]}]}"# }.joined(separator: ","))]}"#
            },
            { n in
                #"{"anyOf":[\#((0..<n).map { #"{"properties":{"p":{"const":\#($0)}},"required":["p"]}"# }.joined(separator: ","))]}"#
            },
        ] as [(Int) -> String] {
            let schema = shape(2000)
            let root = try JSONDocument(parsing: Array(schema.utf8)).root
            var simplifier = SchemaSimplifier(root: root, dialect: .gemini)
            var writer = JSONWriter()
            simplifier.simplify(parameters: root).write(to: &writer)
            #expect(simplifier.steps <= 4 * root.size + 2 * schema.utf8.count)
        }
    }
}
