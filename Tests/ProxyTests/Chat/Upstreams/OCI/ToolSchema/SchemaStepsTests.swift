import Foundation
import Testing

@testable import Proxy
@testable import ProxyRouting

/// What a stranger's schema costs: steps are counted, not timed, and must be some times what there is to read.
@Suite struct SchemaStepsTests {
    private func steps(_ schema: String, _ dialect: SchemaDialect = .standard) throws -> (
        steps: Int, values: Int, bytes: Int
    ) {
        let root = try JSONDocument(parsing: Array(schema.utf8)).root
        var simplifier = SchemaSimplifier(root: root, dialect: dialect)
        var writer = JSONWriter()
        simplifier.simplify(root).write(to: &writer)
        #expect(throws: Never.self) { try Golden.parse(writer.bytes) }
        return (simplifier.steps, root.size, schema.utf8.count)
    }

    private static func members(_ member: String, _ count: Int) -> String {
        Array(repeating: member, count: count).joined(separator: ",")
    }

    private static let shapes: [@Sendable (Int) -> String] = [
        // One keyword, many times, behind many others.
        { n in
            #"{"title":"x","type":"object",\#((0..<n).map { #""a\#($0)":1"# }.joined(separator: ",")),\#(members(#""items":{}"#, n)),"z":1}"#
        },
        { n in
            #"{"title":"x",\#((0..<n).map { #""a\#($0)":1"# }.joined(separator: ",")),\#(members(#""not":{},"if":{},"enum":[1],"type":["a","b"]"#, n))}"#
        },
        { n in #"{"title":"x","a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,\#(members(#""items":{}"#, n))}"# },
        // References into an array, an object, and through a long pointer.
        { n in
            ##"{"x":[\##(members("{}", n))],"allOf":[\##((0..<n).map { ##"{"$ref":"#/x/\##($0)"}"## }.joined(separator: ","))]}"##
        },
        { n in
            ##"{"$defs":{\##((0..<n).map { #""d\#($0)":{"type":"string"}"# }.joined(separator: ","))},"allOf":[\##((0..<n).map { ##"{"$ref":"#/$defs/d\##($0)"}"## }.joined(separator: ","))]}"##
        },
        { n in
            ##"{"$defs":{"a":{}},"allOf":[\##(members(##"{"$ref":"#/x\##(String(repeating: "/y", count: 200))"}"##, n / 100))]}"##
        },
        { n in ##"{"x":[1,\##(members("1", n))],"allOf":[\##(members(##"{"$ref":"#/x/100000"}"##, n))]}"## },
        // Unions, nulls, lists of types, of names, of values.
        { n in
            #"{"title":"x","anyOf":[\#(members(#"{"type":"null"},{"enum":[null,null]},{"const":null}"#, n)),{"type":"string"}]}"#
        },
        { n in #"{"title":"x",\#(members(#""anyOf":[{"type":"string"},{"type":"integer"}]"#, n))}"# },
        { n in
            #"{"allOf":[\#((0..<n).map { #"{"properties":{"p\#($0)":{"title":"t"}},"required":["p\#($0)"]}"# }.joined(separator: ","))]}"#
        },
        { n in
            #"{"title":"x","properties":{\#(members(#""p":{"title":"t"}"#, n))},"required":[\#(members(#""p""#, n))],"type":[\#(members(#""a""#, n))]}"#
        },
        { n in
            #"{"title":"x","patternProperties":{\#(members(#""p":{"title":"t"}"#, n))},"enum":[\#(members("null", n))]}"#
        },
        // One keyword twice, on each of many levels: each time the second counts.
        { n in
            String(repeating: #"{"not":1,"title":"x","not":"#, count: 90) + "{\(members(#""a":1"#, n))}"
                + String(repeating: "}", count: 90)
        },
    ]

    @Test(arguments: 0..<shapes.count, [SchemaDialect.standard, .gemini])
    func `The work grows as the schema does`(shape: Int, dialect: SchemaDialect) throws {
        for count in [100, 2000] {
            let (steps, values, bytes) = try steps(Self.shapes[shape](count), dialect)
            #expect(steps <= 4 * values + 2 * bytes + 200, "\(steps) steps for \(values) values in \(bytes) bytes")
        }
    }

    /// Inlining adds what it adds; the rest of the work stays that of the schema and of what was added.
    @Test func `What references add is bounded by the schema`() throws {
        for size in [0, 100, 1000] {
            let levels = (0..<20).map {
                ##""L\##($0)":{"x":"\##(String(repeating: "d", count: size))","allOf":[{"$ref":"#/$defs/L\##($0 + 1)"}],"properties":{"a":{"$ref":"#/$defs/L\##($0 + 1)"},"b":{"$ref":"#/$defs/L\##($0 + 1)"}}}"##
            }
            let (steps, _, bytes) = try steps(
                ##"{"$defs":{\##(levels.joined(separator: ",")),"L20":{}},"$ref":"#/$defs/L0"}"##)
            #expect(steps < 2 * bytes + min(128 * 1024, 16 * 1024 + 8 * bytes) * 2)
        }
    }

    @Test func `The last of two equal keywords counts`() throws {
        for (schema, expected) in [
            (
                #"{"title":"x","type":"object","type":"object","properties":{"a":{}},"properties":{"b":{"type":"string"}}}"#,
                #"{"type":"object","properties":{"b":{"type":"string"}}}"#
            ),
            (
                #"{"title":"x","type":"object","properties":{"a":{"type":"string","title":1},"a":{"type":"number"}}}"#,
                #"{"type":"object","properties":{"a":{"type":"number"}}}"#
            ),
            (
                #"{"title":"x","type":"object","properties":{"l":{"type":"array","items":{"type":"string"},"items":{"type":"number"}}}}"#,
                #"{"type":"object","properties":{"l":{"type":"array","items":{"type":"number"}}}}"#
            ),
            // Beyond what is looked through one by one.
            (
                #"{"title":"x","a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"a":2,"h":3,"i":1,"i":4,"type":"object"}"#,
                #"{"a":2,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":3,"i":4,"type":"object","properties":{}}"#
            ),
        ] {
            var writer = JSONWriter()
            ToolSchema.write(try JSONDocument(parsing: Array(schema.utf8)).root, dialect: .standard, to: &writer)
            #expect(
                Golden.difference(try Golden.parse(writer.bytes), try Golden.parse(expected.utf8)) == nil,
                "\(String(decoding: writer.bytes, as: UTF8.self))")
        }
    }

    @Test func `Elements of arrays are found`() throws {
        let schema =
            ##"{"type":"object","x":[{"type":"string"},{"type":"number"}],"properties":{"a":{"$ref":"#/x/1"},"b":{"$ref":"#/x/0"},"c":{"$ref":"#/x/2"},"d":{"$ref":"#/x/-1"}}}"##
        var writer = JSONWriter()
        ToolSchema.write(try JSONDocument(parsing: Array(schema.utf8)).root, dialect: .gemini, to: &writer)
        let expected =
            #"{"type":"object","properties":{"a":{"type":"number"},"b":{"type":"string"},"c":{"type":"object"},"d":{"type":"object"}}}"#
        #expect(Golden.difference(try Golden.parse(writer.bytes), try Golden.parse(expected.utf8)) == nil)
    }

    @Test func `Nobody works for who has left`() async throws {
        let schema = Self.shapes[9](5000)
        let root = try JSONDocument(parsing: Array(schema.utf8)).root
        let whole = try steps(schema).steps
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            var simplifier = SchemaSimplifier(root: root, dialect: .standard)
            _ = simplifier.simplify(root)
            return simplifier.steps
        }
        task.cancel()
        #expect(await task.value < whole / 2)
    }

    // MARK: Budgets

    private func request(_ schemas: [String], format: String? = nil) -> [UInt8] {
        let tools = schemas.map { #"{"type":"function","function":{"name":"f","parameters":\#($0)}}"# }.joined(
            separator: ",")
        let format =
            format.map { #","response_format":{"type":"json_schema","json_schema":{"name":"n","schema":\#($0)}}"# }
            ?? ""
        return Array(#"{"model":"m","messages":[{"role":"user","content":"x"}],"tools":[\#(tools)]\#(format)}"#.utf8)
    }

    private func refusal(_ body: [UInt8]) -> Failure? { #expect(throws: Failure.self) { try ChatRequest.parse(body) } }

    @Test func `A schema may have a mebibyte`() throws {
        func schema(_ size: Int) -> String { #"{"type":"object","d":"\#(String(repeating: "d", count: size - 24))"}"# }
        #expect(try ChatRequest.parse(request([schema(SchemaBudget.mostBytes)])).tools.count == 1)
        let error = refusal(request([schema(SchemaBudget.mostBytes + 1)]))
        #expect(error?.status == 400 && error?.param == "tools[0].function.parameters")
        #expect(
            refusal(request([], format: schema(SchemaBudget.mostBytes + 100)))?.param == "response_format.json_schema")
    }

    @Test func `All of a request together have a limit of bytes and of values`() throws {
        let large = #"{"d":"\#(String(repeating: "d", count: 900_000))"}"#
        #expect(try ChatRequest.parse(request(Array(repeating: large, count: 4))).tools.count == 4)
        #expect(refusal(request(Array(repeating: large, count: 5)))?.param == "tools[4].function.parameters")
        let many = #"{"d":[\#(Self.members("0", 100_000))]}"#
        #expect(try ChatRequest.parse(request([many, many])).tools.count == 2)
        #expect(refusal(request([many, many, many]))?.param == "tools[2].function.parameters")
    }
}
