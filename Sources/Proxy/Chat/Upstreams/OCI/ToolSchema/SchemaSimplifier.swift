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
    private static let maximumDepth = 100
    /// Bytes that references may add to one schema: some times what it has itself.
    private static func maximumExpansion(of schema: JSONValue) -> Int {
        min(128 * 1024, 16 * 1024 + 8 * schema.raw.count)
    }

    private let root: JSONValue
    private let dialect: SchemaDialect
    private var depth = 0
    private var expansion: Int
    /// What has been done: members and elements that were looked at, bytes of references.
    private(set) var steps = 0
    /// Whoever asked has left, and nobody reads what becomes of the rest.
    private var isAbandoned = false
    /// The schemas that are being inlined, the root first, by their offsets.
    private var active: [Int] = []
    /// Members of objects that references went through, by the object's offset.
    private var indices: [Int: [String: JSONValue]] = [:]
    /// The same for elements of arrays.
    private var places: [Int: [JSONValue]] = [:]

    init(root: JSONValue, dialect: SchemaDialect) {
        self.root = root
        self.dialect = dialect
        expansion = Self.maximumExpansion(of: root)
        active = [root.raw.startIndex]
    }

    /// What a schema says, together with the schemas that it refers to or consists of. What was said first counts.
    private struct Gathered {
        var keywords: [(name: String, value: JSONValue)] = []
        var properties: [(name: String, value: JSONValue)] = []
        var hasProperties = false
        var required: [JSONValue] = []
        /// The names in the three lists, from the second schema on: most consist of one, and need no sets.
        var names: (keywords: Set<String>, properties: Set<String>, required: Set<String>)?
        var alternatives: (keyword: String, schemas: [JSONValue])?
        var notes: [String] = []
        /// A part could not be inlined.
        var isCut = false
        /// Null was an alternative, and had to go.
        var isNullable = false
        /// It is the parameters of a function: an object, whatever branches it has. Their properties are its own.
        var joinsAlternatives = false
        /// The unions that were joined so far, and the one from which a property is.
        var joins = 0
        var origins: [String: Int] = [:]
        /// The other schemas of properties about which the branches of one union disagree.
        var variants: [String: [JSONValue]] = [:]
        /// Entries of `active` that belong to it.
        var references = 0

        mutating func add(keyword name: String, _ value: JSONValue) {
            if names?.keywords.insert(name).inserted ?? true { keywords.append((name, value)) }
        }

        mutating func add(property name: String, _ value: JSONValue) {
            if names?.properties.insert(name).inserted ?? true { properties.append((name, value)) }
        }

        /// A property in one of several branches.
        mutating func add(variant value: JSONValue, of name: String) {
            if names?.properties.contains(name) == true {
                // What stands beside a union counts.
                if origins[name] == joins { variants[name, default: []].append(value) }
            } else {
                origins[name] = joins
                add(property: name, value)
            }
        }

        mutating func add(required name: String, _ value: JSONValue) {
            if names?.required.insert(name).inserted ?? true { required.append(value) }
        }

        /// From here on, only what has not been said is added.
        mutating func startMerging() {
            guard names == nil else { return }
            names = (Set(keywords.map(\.name)), Set(properties.map(\.name)), Set(required.compactMap(\.string)))
        }
    }

    /// The schema of a function's parameters. Several vendors refuse any union at its root, so the branches become one object: what all of them require
    /// is required, and what belongs together is said in words.
    mutating func simplify(parameters schema: JSONValue) -> SchemaNode {
        var gathered = Gathered()
        gathered.joinsAlternatives = true
        return simplify(schema, gathered)
    }

    /// The schema without what the common dialect lacks.
    mutating func simplify(_ schema: JSONValue) -> SchemaNode { simplify(schema, Gathered()) }

    private mutating func simplify(_ schema: JSONValue, _ beginning: Gathered) -> SchemaNode {
        var gathered = beginning
        gather(schema, into: &gathered)
        depth += 1
        let node = build(gathered)
        depth -= 1
        active.removeLast(gathered.references)
        return node
    }

    // MARK: Gathering

    /// The members of an object, each name once: of several with one name the last counts, in the place of the first.
    private mutating func members(once object: JSONValue) -> [(name: String, value: JSONValue)] {
        var members: [(name: String, value: JSONValue)] = []
        var known: [String: Int] = [:]
        for (key, value) in object.members {
            count()
            let name = key.string ?? ""
            // Most have few members: looking through them costs less than a table.
            if members.count == Self.fewMembers, known.isEmpty {
                for (place, member) in members.enumerated() { known[member.name] = place }
            }
            let place = members.count < Self.fewMembers ? members.firstIndex { $0.name == name } : known[name]
            if let place {
                members[place].value = value
            } else {
                if members.count >= Self.fewMembers { known[name] = members.count }
                members.append((name, value))
            }
        }
        return members
    }

    private static let fewMembers = 8

    /// Counts a step, and looks now and then whether anybody still waits.
    private mutating func count(_ number: Int = 1) {
        steps += number
        if steps & 0x3FF < number, Task.isCancelled { isAbandoned = true }
    }

    private mutating func gather(_ schema: JSONValue, into gathered: inout Gathered) {
        guard depth < Self.maximumDepth, !isAbandoned else {
            gathered.isCut = true
            return
        }
        depth += 1
        defer { depth -= 1 }
        var parts: [JSONValue] = []
        var references: [JSONValue] = []
        var unions: [JSONValue] = []
        for (name, value) in members(once: schema) {
            switch name {
            case "$schema", "$id", "$comment", "$anchor", "$defs", "definitions", "title", "strict": continue
            case _ where value.isNull && name != "const": continue
            case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum":
                if Self.isUnbounded(value) { continue }
                gathered.add(keyword: name, value)
            case "nullable" where dialect != .nullable:
                if value.bool == true { gathered.isNullable = true }
            case "not" where gathered.joinsAlternatives, "enum" where gathered.joinsAlternatives,
                "const" where gathered.joinsAlternatives:
                gathered.notes.append(name == "not" ? "but not: \(Self.words(value))" : "one of: \(Self.words(value))")
            case "$ref" where value.kind == .string: references.append(value)
            case "allOf" where value.kind == .array: parts.append(contentsOf: value.elements)
            case "anyOf" where gathered.joinsAlternatives && value.kind == .array,
                "oneOf" where gathered.joinsAlternatives && value.kind == .array:
                unions.append(value)
            case "anyOf" where value.kind == .array, "oneOf" where value.kind == .array:
                take(alternatives: value, of: name, into: &gathered, parts: &parts)
            case "properties" where value.kind == .object:
                gathered.hasProperties = true
                for (name, property) in members(once: value) { gathered.add(property: name, property) }
            case "properties": continue
            case "required" where value.kind == .array:
                for element in value.elements {
                    count()
                    if let name = element.string { gathered.add(required: name, element) }
                }
            default:
                gathered.add(keyword: name, value)
            }
        }
        if !references.isEmpty || !parts.isEmpty { gathered.startMerging() }
        for reference in references { inline(reference, into: &gathered) }
        for part in parts {
            count()
            if part.kind == .object { gather(part, into: &gathered) }
        }
        for union in unions { join(union, into: &gathered) }
    }

    /// Where null is no alternative, a model leaves out what it does not want to give.
    private mutating func take(
        alternatives value: JSONValue, of name: String, into gathered: inout Gathered, parts: inout [JSONValue]
    ) {
        var schemas: [JSONValue] = []
        var null: JSONValue?
        for schema in value.elements {
            if isNull(schema) { null = schema } else { schemas.append(schema) }
        }
        guard let first = schemas.first else { return }
        if null != nil, dialect != .nullable || gathered.alternatives != nil { gathered.isNullable = true }
        if dialect == .nullable, let null, gathered.alternatives == nil {
            gathered.alternatives = (name, schemas + [null])
        } else if schemas.count == 1 {
            parts.append(first)
        } else if dialect == .gemini || gathered.alternatives != nil {
            parts.append(first)
            let types = schemas.dropFirst().prefix(Self.mostTypes).map {
                $0["type"]?.string?.cut(toBytes: Self.longestWord) ?? "another form"
            }
            gathered.notes.append("or " + types.joined(separator: " or "))
        } else {
            gathered.alternatives = (name, schemas)
        }
    }

    /// Takes the branches of a function's parameters together.
    private mutating func join(_ union: JSONValue, into gathered: inout Gathered) {
        gathered.startMerging()
        gathered.joins += 1
        var common: Set<String>?
        var names: [String] = []
        var required: [(name: String, value: JSONValue)] = []
        for branch in union.elements {
            count()
            guard branch.kind == .object, !isNull(branch) else { continue }
            var part = Gathered()
            part.joinsAlternatives = true
            gather(branch, into: &part)
            gathered.references += part.references
            gathered.hasProperties = gathered.hasProperties || part.hasProperties
            gathered.isCut = gathered.isCut || part.isCut
            for (name, value) in part.properties { gathered.add(variant: value, of: name) }
            for (name, values) in part.variants {
                for value in values { gathered.add(variant: value, of: name) }
            }
            let needed = part.required.compactMap { value in value.string.map { (name: $0, value: value) } }
            required += needed
            common = common.map { $0.intersection(needed.map(\.name)) } ?? Set(needed.map(\.name))
            if names.count < Self.mostTypes { names.append(Self.words(of: part)) }
        }
        for (name, value) in required where common?.contains(name) == true { gathered.add(required: name, value) }
        count(required.count)
        let told = names.filter { !$0.isEmpty }
        if Set(told).count > 1 { gathered.notes.append("either " + told.joined(separator: ", or ")) }
    }

    /// What a branch consists of, for a description: its names, with the one value that some have.
    private static func words(of branch: Gathered) -> String {
        let required = Set(branch.required.compactMap(\.string))
        let names = branch.properties.filter { required.isEmpty || required.contains($0.name) }.prefix(mostTypes).map {
            property in
            let constant = property.value["const"] ?? property.value["enum"].flatMap(Self.only)
            return property.name.cut(toBytes: longestWord) + (constant.map { " = " + words($0) } ?? "")
        }
        return names.joined(separator: " and ")
    }

    /// The element of an array that has one.
    private static func only(in values: JSONValue) -> JSONValue? {
        var elements = values.elements
        guard let first = elements.next(), elements.next() == nil else { return nil }
        return first
    }

    /// A short value as it is written.
    private static func words(_ value: JSONValue) -> String {
        String(decoding: value.raw, as: UTF8.self).cut(toBytes: 2 * longestWord)
    }

    /// The edges of what JavaScript can count, which generators write and nobody means.
    static func isUnbounded(_ value: JSONValue) -> Bool {
        value.double.map { abs($0) >= 9_007_199_254_740_991 } ?? (value.kind == .number)
    }

    private mutating func isNull(_ schema: JSONValue) -> Bool {
        count()
        var isNull = (byType: false, byConstant: false, byValues: false)
        for (key, value) in schema.members {
            count()
            if key.equals("type") { isNull.byType = value.equals("null") }
            if key.equals("const") { isNull.byConstant = value.isNull }
            if key.equals("enum") { isNull.byValues = value.kind == .array && value.elements.allSatisfy(\.isNull) }
        }
        return isNull.byType || isNull.byConstant || isNull.byValues
    }

    /// Words of a schema that go into a description.
    private static let mostTypes = 8
    private static let longestWord = 80

    private mutating func inline(_ reference: JSONValue, into gathered: inout Gathered) {
        let pointer = reference.string ?? ""
        guard let target = resolve(pointer), target.kind == .object else {
            gathered.isCut = true
            return
        }
        guard active.count < Self.maximumDepth, !active.contains(target.raw.startIndex), target.raw.count <= expansion
        else {
            gathered.isCut = true
            let name = pointer.utf8.split(separator: UInt8(ascii: "/")).last.map { String(Substring($0)) } ?? ""
            gathered.notes.append(
                name == "#" || name.isEmpty
                    ? "same structure as the whole" : "same structure as \(name.cut(toBytes: Self.longestWord))")
            return
        }
        expansion -= target.raw.count
        active.append(target.raw.startIndex)
        gathered.references += 1
        gather(target, into: &gathered)
    }

    /// What a JSON pointer within the schema (`#/$defs/Leg`) points to.
    private mutating func resolve(_ pointer: String) -> JSONValue? {
        count(pointer.utf8.count)
        guard pointer.utf8.first == UInt8(ascii: "#") else { return nil }
        guard pointer.utf8.count > 1 else { return root }
        let steps = pointer.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard steps.first?.isEmpty == true else { return nil }
        var value = root
        for step in steps.dropFirst() {
            let name = Self.unescaped(step)
            guard
                let next = value.kind == .array
                    ? Int(name).flatMap({ element($0, of: value) }) : members(of: value)[name]
            else { return nil }
            value = next
        }
        return value
    }

    private mutating func element(_ place: Int, of array: JSONValue) -> JSONValue? {
        let elements: [JSONValue]
        if let known = places[array.raw.startIndex] {
            elements = known
        } else {
            elements = Array(array.elements)
            count(elements.count)
            places[array.raw.startIndex] = elements
        }
        return elements.indices.contains(place) ? elements[place] : nil
    }

    private mutating func members(of object: JSONValue) -> [String: JSONValue] {
        if let known = indices[object.raw.startIndex] { return known }
        let members = Dictionary(object.members.lazy.map { ($0.key.string ?? "", $0.value) }) { _, last in last }
        count(members.count)
        indices[object.raw.startIndex] = members
        return members
    }

    /// A step of a pointer: `~1` is a slash, `~0` a tilde, `%20` a blank.
    private static func unescaped(_ step: Substring.UTF8View) -> String {
        var bytes: [UInt8] = []
        var rest = Array(step)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "~"), let next = rest.first, next == UInt8(ascii: "0") || next == UInt8(ascii: "1")
            {
                bytes.append(next == UInt8(ascii: "1") ? UInt8(ascii: "/") : UInt8(ascii: "~"))
                rest.removeFirst()
            } else if byte == UInt8(ascii: "%"), rest.count >= 2, let high = rest[rest.startIndex].hexDigitValue,
                let low = rest[rest.startIndex + 1].hexDigitValue
            {
                bytes.append(high << 4 | low)
                rest.removeFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: Building

    private mutating func build(_ gathered: Gathered) -> SchemaNode {
        var gathered = gathered
        var node = SchemaNode()
        node.notes = gathered.notes
        node.isNullable = gathered.isNullable
        for (name, value) in gathered.keywords { set(name, value, in: &node) }
        if gathered.hasProperties {
            var properties: [SchemaNode.Member] = []
            let required = Set(gathered.required.compactMap(\.string))
            var optional: Set<String> = []
            for (name, value) in gathered.properties {
                var property = self.property(value, and: gathered.variants[name] ?? [])
                if case .schema(var schema) = property, schema.isNullable, required.contains(name) {
                    optional.insert(name)
                    schema.notes.append("may be left out")
                    property = .schema(schema)
                }
                properties.append(.init(name: name, value: property))
            }
            node["properties"] = .named(properties)
            gathered.required.removeAll { optional.contains($0.string ?? "") }
        }
        if !gathered.required.isEmpty { node["required"] = .list(gathered.required.map(SchemaNode.Value.written)) }
        if let (keyword, schemas) = gathered.alternatives { node[keyword] = list(schemas) }
        if gathered.isCut, node["type"] == nil { node["type"] = .text("object") }
        if node.type == "array", node["items"] == nil {
            // A tuple's first place speaks for the rest; where nothing is said, texts are what most tools mean.
            if case .list(let places)? = node["prefixItems"], let first = places.first {
                node["items"] = first
            } else {
                var items = SchemaNode()
                items["type"] = .text("string")
                node["items"] = .schema(items)
            }
        }
        return node
    }

    private mutating func set(_ name: String, _ value: JSONValue, in node: inout SchemaNode) {
        switch name {
        case "type" where value.kind == .array:
            count(value.size)
            let all = value.elements.compactMap(\.string).map { $0.lowercased() }
            let types = all.filter { $0 != "null" }
            guard let first = types.first else { return }
            if types.count == all.count {
                node["type"] = .text(first)
            } else if dialect == .nullable {
                node["type"] = .list([.text(first), .text("null")])
            } else {
                node["type"] = .text(first)
                node.isNullable = true
            }
            if types.count > 1 {
                node.notes.append(
                    "or "
                        + types.dropFirst().prefix(Self.mostTypes).map { $0.cut(toBytes: Self.longestWord) }.joined(
                            separator: " or "))
            }
        case "type" where Self.isCapitalized(value): node["type"] = .text((value.string ?? "").lowercased())
        case "enum" where value.kind == .array:
            count(value.size)
            let values = dialect == .nullable ? Array(value.elements) : value.elements.filter { !$0.isNull }
            node["enum"] = values.isEmpty ? .written(value) : .list(values.map(SchemaNode.Value.written))
        case "items", "prefixItems":
            node[name] = value.kind == .array ? list(Array(value.elements)) : self.value(value)
            if case .schema(var schema)? = node[name], schema.isNullable {
                schema.notes.append("or null")
                node[name] = .schema(schema)
            }
        case "additionalProperties", "additionalItems", "unevaluatedProperties", "unevaluatedItems", "contains",
            "propertyNames",
            "not", "if", "then", "else":
            node[name] = self.value(value)
        case "patternProperties" where value.kind == .object, "dependentSchemas" where value.kind == .object:
            var schemas: [SchemaNode.Member] = []
            for (name, schema) in members(once: value) { schemas.append(.init(name: name, value: self.value(schema))) }
            node[name] = .named(schemas)
        default: node.append(name, .written(value))
        }
    }

    /// A property, of which branches may have several schemas.
    private mutating func property(_ first: JSONValue, and others: [JSONValue]) -> SchemaNode.Value {
        var different: [JSONValue] = []
        var known: Set<ArraySlice<UInt8>> = [first.raw]
        for other in others where known.insert(other.raw).inserted { different.append(other) }
        guard !different.isEmpty else { return value(first) }
        var schemas: [SchemaNode] = []
        for schema in [first] + different {
            guard case .schema(let node) = value(schema) else { continue }
            schemas.append(node)
        }
        guard var joined = schemas.first else { return value(first) }
        if let values = Self.values(of: schemas) {
            joined["const"] = nil
            joined["enum"] = .list(values)
            return .schema(joined)
        }
        guard dialect != .gemini else {
            let types = schemas.dropFirst().prefix(Self.mostTypes).map { $0.type ?? "another form" }
            joined.notes.append("or " + types.joined(separator: " or "))
            return .schema(joined)
        }
        var union = SchemaNode()
        union["anyOf"] = .list(schemas.map(SchemaNode.Value.schema))
        return .schema(union)
    }

    /// All values of schemas that each allow only some; nil when one of them allows others.
    private static func values(of schemas: [SchemaNode]) -> [SchemaNode.Value]? {
        var values: [SchemaNode.Value] = []
        var known: Set<ArraySlice<UInt8>> = []
        for schema in schemas {
            let own: [SchemaNode.Value]
            switch (schema["const"], schema["enum"]) {
            case (let constant?, _): own = [constant]
            case (nil, .list(let list)?): own = list
            default: return nil
            }
            for case .written(let value) in own where known.insert(value.raw).inserted {
                values.append(.written(value))
            }
        }
        return values
    }

    private mutating func list(_ schemas: [JSONValue]) -> SchemaNode.Value {
        var values: [SchemaNode.Value] = []
        for schema in schemas {
            count()
            values.append(value(schema))
        }
        return .list(values)
    }

    /// A schema below; a boolean one stays as it is.
    private mutating func value(_ schema: JSONValue) -> SchemaNode.Value {
        schema.kind == .object ? .schema(simplify(schema)) : .written(schema)
    }
}
