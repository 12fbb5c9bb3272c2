import Foundation
import Testing

@testable import Proxy

@Suite struct ToolSchemaTests {
    private func written(_ schema: String?, _ dialect: ToolSchema.Dialect = .standard) throws -> Any {
        var writer = JSONWriter()
        ToolSchema.write(try schema.map { try JSONDocument(parsing: Array($0.utf8)).root }, dialect: dialect, to: &writer)
        return try Golden.parse(writer.bytes)
    }

    private func expectSchema(_ schema: String?, _ dialect: ToolSchema.Dialect = .standard, gives expected: String) throws {
        #expect(Golden.difference(try written(schema, dialect), try Golden.parse(expected.utf8)) == nil)
    }

    @Test(arguments: [nil, "{}", #"{"type":"object"}"#, #"{"properties":{}}"#])
    func parametersAreAlwaysAnObjectWithProperties(schema: String?) throws {
        try expectSchema(schema, gives: #"{"type":"object","properties":{}}"#)
    }

    @Test func aPropertyCalledTitleSurvives() throws {
        try expectSchema(
            #"{"type":"object","title":"T","properties":{"title":{"type":"string","title":"Title"},"description":{"type":"string"},"$ref":{"type":"string"}}}"#,
            gives: #"{"type":"object","properties":{"title":{"type":"string"},"description":{"type":"string"},"$ref":{"type":"string"}}}"#)
    }

    @Test func referencesKeepTheirOwnDescription() throws {
        try expectSchema(
            ##"{"type":"object","definitions":{"A":{"type":"string","description":"general"}},"properties":{"a":{"$ref":"#/definitions/A","description":"special"},"b":{"$ref":"#/definitions/A"}}}"##,
            gives: #"{"type":"object","properties":{"a":{"type":"string","description":"special"},"b":{"type":"string","description":"general"}}}"#)
    }

    @Test func aRecursiveSchemaEnds() throws {
        let schema = ##"{"type":"object","properties":{"children":{"type":"array","items":{"$ref":"#"}}}}"##
        #expect(throws: Never.self) { try written(schema) }
    }

    @Test func aSchemaThatExplodesEnds() throws {
        // Each level refers to the next one ten times: 10^10 nodes if they were all written.
        func level(_ number: Int) -> String {
            let properties = (0..<10).map { property in ##""p\##(property)":{"$ref":"#/$defs/L\##(number + 1)"}"## }
            return #""L\#(number)":{"type":"object","properties":{\#(properties.joined(separator: ","))}}"#
        }
        let levels = (0..<10).map(level).joined(separator: ",")
        let schema = ##"{"type":"object","$defs":{\##(levels),"L10":{"type":"string"}},"properties":{"a":{"$ref":"#/$defs/L0"}}}"##
        #expect(throws: Never.self) { try written(schema) }
    }

    @Test func severalBranchesStayWithoutTheNull() throws {
        try expectSchema(
            #"{"type":"object","properties":{"a":{"anyOf":[{"type":"string"},{"type":"integer"},{"type":"null"}]},"b":{"type":["null","number"]}}}"#,
            gives: #"{"type":"object","properties":{"a":{"anyOf":[{"type":"string"},{"type":"integer"}]},"b":{"type":"number"}}}"#)
    }

    @Test func geminiIsToldInWordsWhatItsSchemasCannotSay() throws {
        try expectSchema(
            #"{"type":"object","additionalProperties":false,"properties":{"n":{"type":"integer","description":"How many","exclusiveMinimum":0,"maximum":9007199254740991},"k":{"type":"string","const":"x"}}}"#,
            .gemini,
            gives: #"{"type":"object","properties":{"n":{"type":"integer","description":"How many (exclusiveMinimum: 0)"},"k":{"type":"string","description":"(const: \"x\")"}}}"#)
    }

    @Test func otherFamiliesKeepTheirKeywords() throws {
        let schema = #"{"type":"object","additionalProperties":false,"properties":{"n":{"type":"integer","exclusiveMinimum":0,"minimum":1},"t":{"type":"array","items":{"type":"string"},"minItems":1}}}"#
        try expectSchema(schema, gives: schema)
    }
}
