/// What a schema says, together with the schemas that it refers to or consists of. What was said first counts.
struct GatheredSchema {
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
