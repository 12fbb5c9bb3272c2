/// Finds what references within a schema point to. Objects and arrays that references go through are indexed once.
struct SchemaReferences {
    let root: JSONValue
    /// Members of objects that references went through, by the object's offset.
    private var members: [Int: [String: JSONValue]] = [:]
    /// The same for elements of arrays.
    private var elements: [Int: [JSONValue]] = [:]

    init(root: JSONValue) { self.root = root }

    /// What a JSON pointer within the schema (`#/$defs/Leg`) points to.
    mutating func resolve(_ pointer: String, _ counter: inout StepCounter) -> JSONValue? {
        counter.count(pointer.utf8.count)
        guard pointer.utf8.first == UInt8(ascii: "#") else { return nil }
        guard pointer.utf8.count > 1 else { return root }
        let steps = pointer.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard steps.first?.isEmpty == true else { return nil }
        var value = root
        for step in steps.dropFirst() {
            let name = Self.unescaped(step)
            guard
                let next = value.kind == .array
                    ? Int(name).flatMap({ element($0, of: value, &counter) }) : members(of: value, &counter)[name]
            else { return nil }
            value = next
        }
        return value
    }

    private mutating func element(_ index: Int, of array: JSONValue, _ counter: inout StepCounter) -> JSONValue? {
        let all: [JSONValue]
        if let known = elements[array.raw.startIndex] {
            all = known
        } else {
            all = Array(array.elements)
            counter.count(all.count)
            elements[array.raw.startIndex] = all
        }
        return all.indices.contains(index) ? all[index] : nil
    }

    private mutating func members(of object: JSONValue, _ counter: inout StepCounter) -> [String: JSONValue] {
        if let known = members[object.raw.startIndex] { return known }
        let named = Dictionary(object.members.lazy.map { ($0.key.string ?? "", $0.value) }) { _, last in last }
        counter.count(named.count)
        members[object.raw.startIndex] = named
        return named
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
}
