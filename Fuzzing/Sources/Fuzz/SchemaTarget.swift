@testable import Proxy

/// The simplifier of schemas: JSON in each dialect, in steps that are some times the schema and what references may add to it.
enum SchemaTarget {
    static func run(_ bytes: [UInt8]) {
        guard let root = try? JSONDocument(parsing: bytes).root else { return }
        // A schema without references has nothing to add.
        let added =
            bytes.contains(UInt8(ascii: "$")) || bytes.contains(UInt8(ascii: "\\"))
            ? min(128 * 1024, 16 * 1024 + 8 * bytes.count) : 0
        let most = 16 * (bytes.count + min(128 * 1024, 16 * 1024 + 8 * bytes.count))
        for dialect in [SchemaDialect.standard, .nullable, .gemini] {
            var simplifier = SchemaSimplifier(root: root, dialect: dialect)
            let node = simplifier.simplify(root)
            expect(
                simplifier.steps <= 4 * root.size + 2 * bytes.count + 2 * added + 200,
                "\(simplifier.steps) steps for \(root.size) values in \(bytes.count) bytes")
            written(upTo: most) { node.write(to: &$0) }
            written(upTo: most) { ToolSchema.writeAny(root, dialect: dialect, to: &$0) }
            let parameters = written(upTo: most) { ToolSchema.write(root, dialect: dialect, to: &$0) }
            guard let parameters else { continue }
            expect(
                parameters["type"]?.equals("object") == true && parameters["properties"]?.kind == .object,
                "parameters are no object")
        }
        _ = ToolSchema.reduced(root)
    }

    /// - Returns: nil when it is nested more deeply than anybody reads: a reference may stand at the bottom of a deep schema.
    @discardableResult
    private static func written(upTo most: Int, _ write: (inout JSONWriter) -> Void) -> JSONValue? {
        var writer = JSONWriter()
        write(&writer)
        expect(writer.bytes.count <= most, "\(writer.bytes.count) bytes are written, and \(most) may be")
        do throws(JSONSyntaxError) {
            return try JSONDocument(parsing: writer.bytes).root
        } catch {
            expect(
                error.problem.hasPrefix("values are nested deeper"),
                "\(error): \(String(decoding: writer.bytes, as: UTF8.self))")
            return nil
        }
    }
}
