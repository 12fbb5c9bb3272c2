import Foundation
import TestFixtures
import Testing

@testable import Proxy

/// Tools as agents, servers and generators write them, and those of the real clients, through every family: none is refused, and nothing is lost without a word.
@Suite struct ToolCorpusTests {
    private static var schemas: [Golden.Object] {
        let data = try? Data(contentsOf: Fixtures.url("tools/schemas.json"))
        let written = data.flatMap { try? JSONSerialization.jsonObject(with: $0) as? [Golden.Object] } ?? []
        let clients = Golden.cases("clients").flatMap { golden in
            (golden.object["tools"] as? [Golden.Object] ?? []).compactMap {
                ($0["function"] as? Golden.Object)?["parameters"] as? Golden.Object
            }
        }
        return written + clients
    }

    private static let families = [
        "xai.grok-4", "xai.grok-3", "openai.gpt-oss-120b", "openai.gpt-5", "openai.o3", "openai.gpt-4.1",
        "meta.llama-3.3-70b-instruct", "google.gemini-2.5-pro",
        "cohere.command-r-plus", "cohere.command-a-03-2025", "cohere.command-a-reasoning", "vendor.new",
    ]

    @Test func `The corpus is there`() { #expect(Self.schemas.count > 70) }

    private func tools(for model: String) throws -> [(schema: Golden.Object, tool: Golden.Object)] {
        try Self.schemas.map { schema in
            let request: Golden.Object = [
                "model": "m", "messages": [["role": "user", "content": "x"]],
                "tools": [
                    [
                        "type": "function",
                        "function": ["name": "f", "description": "d", "parameters": schema] as Golden.Object,
                    ] as Golden.Object
                ],
            ]
            let chat = try ChatRequest.parse(Array(try JSONSerialization.data(withJSONObject: request)))
            let target = ChatTarget(
                serving: .onDemand(modelID: model), modelID: model, defaultMaxTokens: 100, isStreaming: false)
            let details = try Dialect(APIFormat(modelID: model), for: chat).details(of: chat, for: target)
            let root = try #require(try Golden.parse(details.document(in: "c").bytes) as? Golden.Object)
            let tool = try #require(((root["chatRequest"] as? Golden.Object)?["tools"] as? [Golden.Object])?.first)
            return (schema, tool)
        }
    }

    @Test(arguments: families)
    func `Every schema is taken whole`(model: String) throws {
        for (schema, tool) in try tools(for: model) {
            let text = String(
                decoding: try JSONSerialization.data(withJSONObject: tool, options: [.withoutEscapingSlashes]),
                as: UTF8.self)
            var words: Set<String> = []
            Self.collect(schema, into: &words)
            for word in words { #expect(text.contains(word), "\(model) loses '\(word)'") }
            #expect(!text.contains("\"$ref\"") && !text.contains("\"$defs\"") && !text.contains("\"$schema\""))
        }
    }

    /// The names of all properties, and the texts that they may be.
    private static func collect(_ schema: Any, into words: inout Set<String>) {
        guard let schema = schema as? Golden.Object else { return }
        for (name, property) in schema["properties"] as? Golden.Object ?? [:] {
            words.insert(name)
            collect(property, into: &words)
        }
        for value in schema["enum"] as? [Any] ?? [] {
            if let text = value as? String, !text.isEmpty { words.insert(text) }
        }
        for key in ["items", "additionalProperties"] { if let inner = schema[key] { collect(inner, into: &words) } }
        // Of a union inside, dialects with one type each take the first branch.
        for key in ["allOf"] { for part in schema[key] as? [Any] ?? [] { collect(part, into: &words) } }
    }

    @Test(arguments: families.filter { !$0.hasPrefix("cohere.command-r") })
    func `Roots are objects`(model: String) throws {
        for (schema, tool) in try tools(for: model) {
            let parameters = try #require(
                ((tool["function"] as? Golden.Object) ?? tool)["parameters"] as? Golden.Object)
            #expect(parameters["type"] as? String == "object" && parameters["properties"] is Golden.Object)
            for keyword in ["anyOf", "oneOf", "allOf", "not", "enum"] { #expect(parameters[keyword] == nil) }
            // Whatever is required is there.
            let names = Set((parameters["properties"] as? Golden.Object ?? [:]).keys)
            for name in parameters["required"] as? [String] ?? [] where schema["anyOf"] == nil {
                #expect(names.contains(name))
            }
        }
    }

    @Test func `Gemini gets only what it knows`() throws {
        let known: Set<String> = [
            "type", "description", "properties", "required", "items", "enum", "format", "minItems", "maxItems",
            "minLength", "maxLength", "pattern", "minimum", "maximum",
        ]
        func check(_ schema: Golden.Object) {
            #expect(Set(schema.keys).isSubset(of: known), "\(schema.keys)")
            #expect(schema["type"] is String)
            for property in (schema["properties"] as? Golden.Object ?? [:]).values {
                if let property = property as? Golden.Object { check(property) }
            }
            if let items = schema["items"] as? Golden.Object { check(items) }
        }
        for (_, tool) in try tools(for: "google.gemini-2.5-pro") {
            check(try #require(tool["parameters"] as? Golden.Object))
        }
    }

    @Test func `Cohere gets types of its own`() throws {
        for (_, tool) in try tools(for: "cohere.command-r-plus") {
            for parameter in (tool["parameterDefinitions"] as? Golden.Object ?? [:]).values {
                let parameter = try #require(parameter as? Golden.Object)
                #expect(["str", "int", "float", "bool", "list", "dict"].contains(parameter["type"] as? String))
                #expect((parameter["description"] as? String)?.isEmpty == false)
            }
        }
    }
}
