/// First what a schema says is gathered, with what it refers to and what it consists of.
extension SchemaSimplifier {
    /// The members of an object, each name once: of several with one name the last counts, in the place of the first.
    mutating func members(once object: JSONValue) -> [(name: String, value: JSONValue)] {
        var members: [(name: String, value: JSONValue)] = []
        var known: [String: Int] = [:]
        for (key, value) in object.members {
            counter.count()
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

    static let fewMembers = 8

    mutating func gather(_ schema: JSONValue, into gathered: inout GatheredSchema) {
        guard depth < Self.maximumDepth, !counter.isAbandoned else {
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
                    counter.count()
                    if let name = element.string { gathered.add(required: name, element) }
                }
            default:
                gathered.add(keyword: name, value)
            }
        }
        if !references.isEmpty || !parts.isEmpty { gathered.startMerging() }
        for reference in references { inline(reference, into: &gathered) }
        for part in parts {
            counter.count()
            if part.kind == .object { gather(part, into: &gathered) }
        }
        for union in unions { join(union, into: &gathered) }
    }

    /// Where null is no alternative, a model leaves out what it does not want to give.
    mutating func take(
        alternatives value: JSONValue, of name: String, into gathered: inout GatheredSchema, parts: inout [JSONValue]
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
    mutating func join(_ union: JSONValue, into gathered: inout GatheredSchema) {
        gathered.startMerging()
        gathered.joins += 1
        var common: Set<String>?
        var names: [String] = []
        var required: [(name: String, value: JSONValue)] = []
        for branch in union.elements {
            counter.count()
            guard branch.kind == .object, !isNull(branch) else { continue }
            var part = GatheredSchema()
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
        counter.count(required.count)
        let told = names.filter { !$0.isEmpty }
        if Set(told).count > 1 { gathered.notes.append("either " + told.joined(separator: ", or ")) }
    }

    /// What a branch consists of, for a description: its names, with the one value that some have.
    static func words(of branch: GatheredSchema) -> String {
        let required = Set(branch.required.compactMap(\.string))
        let names = branch.properties.filter { required.isEmpty || required.contains($0.name) }.prefix(mostTypes).map {
            property in
            let constant = property.value["const"] ?? property.value["enum"].flatMap(Self.only)
            return property.name.cut(toBytes: longestWord) + (constant.map { " = " + words($0) } ?? "")
        }
        return names.joined(separator: " and ")
    }

    /// The element of an array that has one.
    static func only(in values: JSONValue) -> JSONValue? {
        var elements = values.elements
        guard let first = elements.next(), elements.next() == nil else { return nil }
        return first
    }

    /// A short value as it is written.
    static func words(_ value: JSONValue) -> String {
        String(decoding: value.raw, as: UTF8.self).cut(toBytes: 2 * longestWord)
    }

    /// The edges of what JavaScript can count, which generators write and nobody means.
    static func isUnbounded(_ value: JSONValue) -> Bool {
        value.double.map { abs($0) >= 9_007_199_254_740_991 } ?? (value.kind == .number)
    }

    mutating func isNull(_ schema: JSONValue) -> Bool {
        counter.count()
        var isNull = (byType: false, byConstant: false, byValues: false)
        for (key, value) in schema.members {
            counter.count()
            if key.equals("type") { isNull.byType = value.equals("null") }
            if key.equals("const") { isNull.byConstant = value.isNull }
            if key.equals("enum") { isNull.byValues = value.kind == .array && value.elements.allSatisfy(\.isNull) }
        }
        return isNull.byType || isNull.byConstant || isNull.byValues
    }

    /// Words of a schema that go into a description.
    static let mostTypes = 8
    static let longestWord = 80

    mutating func inline(_ reference: JSONValue, into gathered: inout GatheredSchema) {
        let pointer = reference.string ?? ""
        guard let target = references.resolve(pointer, &counter), target.kind == .object else {
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
}
