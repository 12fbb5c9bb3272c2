import Testing

@testable import OCISimulator

@Suite struct SchemaExampleTests {
    private static let schemas: [(schema: String, value: String)] = [
        (
            ##"{"type":"object","properties":{"leg":{"$ref":"#/$defs/Leg"}},"required":["leg"],"$defs":{"Leg":{"type":"object","properties":{"to":{"type":"string"}},"required":["to"]}}}"##,
            #"{"leg":{"to":"example"}}"#
        ),
        (
            ##"{"$ref":"#/definitions/A","definitions":{"A":{"type":"array","items":{"$ref":"#/definitions/B"}},"B":{"enum":["x","y"]}}}"##,
            #"["x"]"#
        ),
        (#"{"anyOf":[{"type":"null"},{"type":"integer","minimum":3}]}"#, "3"),
        (#"{"type":["null","boolean"]}"#, "true"), (#"{"type":"integer","exclusiveMinimum":4}"#, "5"),
        (
            #"{"allOf":[{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]},{"type":"object","properties":{"b":{"type":"integer"}},"required":["b"]}]}"#,
            #"{"a":"example","b":1}"#
        ),
        (#"{"allOf":[{"enum":["x"]}]}"#, #""x""#), (#"{"type":"string","minLength":9}"#, #""examplexx""#),
        (##"{"$ref":"#/nowhere"}"##, "null"),
        (##"{"type":"object","properties":{"n":{"$ref":"#"}},"required":["n"]}"##, ""),
    ]

    @Test(arguments: schemas)
    func `The value is of the schema`(form: (schema: String, value: String)) throws {
        let value = SchemaExample.value(for: try JSONParser.parse(Array(form.schema.utf8)))
        // What refers to itself ends somewhere.
        guard !form.value.isEmpty else { return }
        let expected = try JSONParser.parse(Array(form.value.utf8))
        #expect(value == expected)
    }
}
