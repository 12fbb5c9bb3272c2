/// Turns any JSON schema into the common dialect: references inlined, unions with null resolved where null has no place, one type each.
///
/// A schema is a stranger's program text: it may refer to itself, unfold without end, or say everything a thousand times. Inlining is bounded in
/// depth and in bytes, and what goes beyond becomes a plain object. Of two keywords with one name in an object the last counts, as for every reader
/// of JSON; objects and arrays that references go through are indexed once. So the work is that of a few walks over the schema and over what
/// references add to it, which `steps` counts.
struct SchemaSimplifier {
    /// Whether a keyword makes a rewrite necessary, or may.
    static func isRewritten(_ key: JSONValue) -> Bool {
        guard let name = key.rawString, let first = name.first else { return false }
        // A quick look first: few of the names in a schema begin like one of these.
        switch first {
        case UInt8(ascii: "$"), UInt8(ascii: "\\"): return true
        case UInt8(ascii: "a"), UInt8(ascii: "d"), UInt8(ascii: "o"), UInt8(ascii: "s"), UInt8(ascii: "t"): break
        default: return false
        }
        return ["definitions", "title", "anyOf", "oneOf", "allOf", "strict"].contains { key.equals($0) }
    }

    /// Whether a name of a type has capitals, as Google's own have.
    static func isCapitalized(_ type: JSONValue) -> Bool {
        type.rawString?.contains { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) } == true
    }

    /// Levels of schemas and references within each other.
    static let maximumDepth = 100
    /// Bytes that references may add to one schema: some times what it has itself.
    private static func maximumExpansion(of schema: JSONValue) -> Int {
        min(128 * 1024, 16 * 1024 + 8 * schema.raw.count)
    }

    let dialect: SchemaDialect
    var depth = 0
    var expansion: Int
    var counter = StepCounter()
    /// The schemas that are being inlined, the root first, by their offsets.
    var active: [Int] = []
    var references: SchemaReferences
    /// What has been done.
    var steps: Int { counter.steps }

    init(root: JSONValue, dialect: SchemaDialect) {
        references = SchemaReferences(root: root)
        self.dialect = dialect
        expansion = Self.maximumExpansion(of: root)
        active = [root.raw.startIndex]
    }

    /// The schema of a function's parameters. Several vendors refuse any union at its root, so the branches become one object: what all of them require
    /// is required, and what belongs together is said in words.
    mutating func simplify(parameters schema: JSONValue) -> SchemaNode {
        var gathered = GatheredSchema()
        gathered.joinsAlternatives = true
        return simplify(schema, gathered)
    }

    /// The schema without what the common dialect lacks.
    mutating func simplify(_ schema: JSONValue) -> SchemaNode { simplify(schema, GatheredSchema()) }

    private mutating func simplify(_ schema: JSONValue, _ beginning: GatheredSchema) -> SchemaNode {
        var gathered = beginning
        gather(schema, into: &gathered)
        depth += 1
        let node = build(gathered)
        depth -= 1
        active.removeLast(gathered.references)
        return node
    }
}
