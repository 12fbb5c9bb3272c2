import Foundation
import Testing

@testable import Proxy

@Suite struct ToolSchemaTests {
    private func written(_ schema: String?, _ dialect: SchemaDialect = .standard) throws -> Any {
        var writer = JSONWriter()
        ToolSchema.write(
            try schema.map { try JSONDocument(parsing: Array($0.utf8)).root }, dialect: dialect, to: &writer)
        return try Golden.parse(writer.bytes)
    }

    private func expectSchema(_ schema: String?, _ dialect: SchemaDialect = .standard, gives expected: String) throws {
        #expect(Golden.difference(try written(schema, dialect), try Golden.parse(expected.utf8)) == nil)
    }

    @Test(arguments: [nil, "{}", #"{"type":"object"}"#, #"{"properties":{}}"#])
    func `Parameters are always an object with properties`(schema: String?) throws {
        try expectSchema(schema, gives: #"{"type":"object","properties":{}}"#)
    }

    @Test(arguments: [
        #"{"properties":[]}"#, #"{"properties":1,"enum":["a"]}"#, #"{"title":"x","const":"a","properties":null}"#,
    ])
    func `What is no list of properties is none`(schema: String) throws {
        for dialect in [SchemaDialect.standard, .gemini] {
            let written = try #require(try written(schema, dialect) as? [String: Any])
            #expect(
                written["type"] as? String == "object" && (written["properties"] as? [String: Any])?.isEmpty == true)
        }
        try expectSchema(
            #"{"enum":["a"]}"#, .gemini, gives: #"{"type":"object","properties":{},"description":"one of: [\"a\"]"}"#)
    }

    @Test func `A property called title survives`() throws {
        try expectSchema(
            #"{"type":"object","title":"T","properties":{"title":{"type":"string","title":"Title"},"description":{"type":"string"},"$ref":{"type":"string"}}}"#,
            gives:
                #"{"type":"object","properties":{"title":{"type":"string"},"description":{"type":"string"},"$ref":{"type":"string"}}}"#
        )
    }

    @Test func `References keep their own description`() throws {
        try expectSchema(
            ##"{"type":"object","definitions":{"A":{"type":"string","description":"general"}},"properties":{"a":{"$ref":"#/definitions/A","description":"special"},"b":{"$ref":"#/definitions/A"}}}"##,
            gives:
                #"{"type":"object","properties":{"a":{"type":"string","description":"special"},"b":{"type":"string","description":"general"}}}"#
        )
    }

    @Test func `A recursive schema ends`() throws {
        let schema = ##"{"type":"object","properties":{"children":{"type":"array","items":{"$ref":"#"}}}}"##
        #expect(throws: Never.self) { try written(schema) }
    }

    @Test func `A schema that explodes ends`() throws {
        // Each level refers to the next one ten times: 10^10 nodes if they were all written.
        func level(_ number: Int) -> String {
            let properties = (0..<10).map { property in ##""p\##(property)":{"$ref":"#/$defs/L\##(number + 1)"}"## }
            return #""L\#(number)":{"type":"object","properties":{\#(properties.joined(separator: ","))}}"#
        }
        let levels = (0..<10).map(level).joined(separator: ",")
        let schema =
            ##"{"type":"object","$defs":{\##(levels),"L10":{"type":"string"}},"properties":{"a":{"$ref":"#/$defs/L0"}}}"##
        #expect(throws: Never.self) { try written(schema) }
    }

    @Test func `Several branches stay without the null`() throws {
        try expectSchema(
            #"{"type":"object","properties":{"a":{"anyOf":[{"type":"string"},{"type":"integer"},{"type":"null"}]},"b":{"type":["null","number"]}}}"#,
            gives:
                #"{"type":"object","properties":{"a":{"anyOf":[{"type":"string"},{"type":"integer"}]},"b":{"type":"number"}}}"#
        )
    }

    @Test func `Gemini is told in words what its schemas cannot say`() throws {
        try expectSchema(
            #"{"type":"object","additionalProperties":false,"properties":{"n":{"type":"integer","description":"How many","exclusiveMinimum":0,"maximum":9007199254740991},"k":{"type":"string","const":"x"}}}"#,
            .gemini,
            gives:
                #"{"type":"object","properties":{"n":{"type":"integer","description":"How many","minimum":1},"k":{"type":"string","enum":["x"]}}}"#
        )
    }

    @Test func `Other families keep their keywords`() throws {
        let schema =
            #"{"type":"object","additionalProperties":false,"properties":{"n":{"type":"integer","exclusiveMinimum":0,"minimum":1},"t":{"type":"array","items":{"type":"string"},"minItems":1}}}"#
        try expectSchema(schema, gives: schema)
    }

    // MARK: What strangers' schemas do

    @Test func `A recursion is cut where it comes round`() throws {
        try expectSchema(
            ##"{"type":"object","properties":{"name":{"type":"string"},"children":{"type":"array","items":{"$ref":"#"}}}}"##,
            gives:
                ##"{"type":"object","properties":{"name":{"type":"string"},"children":{"type":"array","items":{"type":"object","description":"same structure as the whole"}}}}"##
        )
        try expectSchema(
            ##"{"type":"object","properties":{"v":{"$ref":"#/$defs/J"}},"$defs":{"J":{"type":"object","additionalProperties":{"$ref":"#/$defs/J"}}}}"##,
            gives:
                ##"{"type":"object","properties":{"v":{"type":"object","additionalProperties":{"type":"object","description":"same structure as J"}}}}"##
        )
    }

    /// Each level refers to the next one ten times, and each has a long description: 10^10 times that, if written out.
    @Test(arguments: [SchemaDialect.standard, .gemini])
    func `A schema that explodes stays small`(dialect: SchemaDialect) throws {
        let text = String(repeating: "d", count: 2000)
        let levels = (0..<10).map { level in
            let properties = (0..<10).map { ##""p\##($0)":{"$ref":"#/$defs/L\##(level + 1)"}"## }.joined(separator: ",")
            return #""L\#(level)":{"type":"object","description":"\#(text)","properties":{\#(properties)}}"#
        }
        let schema =
            ##"{"type":"object","$defs":{\##(levels.joined(separator: ",")),"L10":{"type":"string"}},"properties":{"a":{"$ref":"#/$defs/L0"}}}"##
        var writer = JSONWriter()
        ToolSchema.write(try JSONDocument(parsing: Array(schema.utf8)).root, dialect: dialect, to: &writer)
        #expect(writer.bytes.count < 400_000)
        #expect(throws: Never.self) { try Golden.parse(writer.bytes) }
    }

    /// Definitions that refer to each other in a long chain, and values nested as deep as the parser allows.
    @Test(arguments: [SchemaDialect.standard, .gemini])
    func `Depth is bounded`(dialect: SchemaDialect) throws {
        let chain = (0..<5000).map {
            ##""D\##($0)":{"type":"object","properties":{"n":{"$ref":"#/$defs/D\##($0 + 1)"}}}"##
        }.joined(separator: ",")
        let deep = String(repeating: #"{"anyOf":["#, count: 100) + "{}" + String(repeating: "]}", count: 100)
        for schema in [##"{"$ref":"#/$defs/D0","$defs":{\##(chain)}}"##, #"{"properties":{"a":\#(deep)}}"#] {
            var writer = JSONWriter()
            ToolSchema.write(try JSONDocument(parsing: Array(schema.utf8)).root, dialect: dialect, to: &writer)
            #expect(throws: Never.self) { try Golden.parse(writer.bytes) }
        }
    }

    @Test(arguments: [
        // The parts of a union or a reference add to what stands beside them, and what stands beside them counts.
        (
            #"{"type":"object","properties":{"a":{"type":"string"}},"anyOf":[{"required":["a"]}]}"#,
            #"{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}"#
        ),
        (
            ##"{"$ref":"#/$defs/A","$defs":{"A":{"properties":{"a":{"type":"string"}}}}}"##,
            #"{"type":"object","properties":{"a":{"type":"string"}}}"#
        ),
        (
            #"{"type":"object","properties":{"a":{"minLength":2,"anyOf":[{"type":"string"},{"type":"null"}]}}}"#,
            #"{"type":"object","properties":{"a":{"minLength":2,"type":"string"}}}"#
        ),
        (
            #"{"allOf":[{"properties":{"a":{"type":"string"}},"required":["a"]},{"properties":{"b":{"type":"number"}}}]}"#,
            #"{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"number"}},"required":["a"]}"#
        ),
        // Null in its other disguises.
        (
            #"{"type":"object","properties":{"a":{"anyOf":[{"type":"string"},{"const":null}]},"b":{"type":["string","null"],"enum":["x",null]}}}"#,
            #"{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string","enum":["x"]}}}"#
        ),
        (
            #"{"type":"object","properties":{"a":{"type":["string","integer"],"description":"id"}},"description":null}"#,
            #"{"type":"object","properties":{"a":{"type":"string","description":"id (or integer)"}}}"#
        ),
        // No reference is left dangling, wherever it stands.
        (
            ##"{"type":"object","properties":{"a":{"$ref":"https://x.example/y"},"b":{"type":"object","patternProperties":{"x":{"$ref":"#/$defs/A~1B"}}}},"$defs":{"A/B":{"type":"string"}}}"##,
            #"{"type":"object","properties":{"a":{"type":"object"},"b":{"type":"object","patternProperties":{"x":{"type":"string"}}}}}"#
        ),
        (
            #"{"type":"object","properties":{"a":{"type":"array","prefixItems":[{"type":"number"}]}}}"#,
            #"{"type":"object","properties":{"a":{"type":"array","prefixItems":[{"type":"number"}],"items":{"type":"number"}}}}"#
        ),
    ])
    func `The standard dialect keeps what is said`(schema: String, expected: String) throws {
        try expectSchema(schema, gives: expected)
    }

    @Test(arguments: [
        (#"{"enum":[1,2]}"#, #"{"type":"string","description":"one of: 1, 2"}"#),
        (#"{"enum":["a",""]}"#, #"{"type":"string","enum":["a"]}"#),
        (
            #"{"type":"string","format":"uri","default":"x"}"#,
            #"{"type":"string","description":"format: uri; default: x"}"#
        ),
        (#"{"type":"string","format":"date-time"}"#, #"{"type":"string","format":"date-time"}"#),
        (#"{"type":"number","exclusiveMaximum":1}"#, #"{"type":"number","description":"less than 1"}"#),
        (#"{"anyOf":[{"type":"integer"},{"type":"string"}]}"#, #"{"type":"integer","description":"or string"}"#),
        (#"{}"#, #"{"type":"string"}"#), ("true", #"{"type":"string"}"#),
        (#"{"type":"array"}"#, #"{"type":"array","items":{"type":"string"}}"#),
        (
            #"{"type":"array","items":[{"type":"number"},{"type":"string"}],"uniqueItems":true}"#,
            #"{"type":"array","items":{"type":"number"},"description":"without duplicates"}"#
        ),
        (
            #"{"type":"object","properties":{"x":{"type":"string"}},"required":["x","y"],"additionalProperties":{"type":"number"}}"#,
            #"{"type":"object","properties":{"x":{"type":"string"}},"required":["x"],"description":"further members of type number"}"#
        ),
    ])
    func `Every Gemini schema has a type and only known keywords`(property: String, expected: String) throws {
        try expectSchema(
            #"{"type":"object","properties":{"a":\#(property)}}"#, .gemini,
            gives: #"{"type":"object","properties":{"a":\#(expected)}}"#)
    }

    @Test func `An answer's schema may have any type`() throws {
        var writer = JSONWriter()
        ToolSchema.writeAny(
            try JSONDocument(parsing: Array(#"{"type":"array","title":"L","items":{"const":"x"}}"#.utf8)).root,
            dialect: .gemini, to: &writer)
        #expect(
            Golden.difference(
                try Golden.parse(writer.bytes),
                try Golden.parse(#"{"type":"array","items":{"type":"string","enum":["x"]}}"#.utf8)) == nil)
    }
}
