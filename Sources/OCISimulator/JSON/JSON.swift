/// A JSON value. Objects keep the order of their members, so that what is sent looks like what the service sends.
///
/// Integers and other numbers are told apart, because the service refuses `1.5` where it wants an integer.
package enum JSON: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case array([JSON])
    case object(JSONObject)
}

/// The members of a JSON object in their order. Names are unique: setting a known name replaces its value.
package struct JSONObject: Sendable {
    package struct Member: Sendable {
        package var name: String
        package var value: JSON
    }

    /// So many are searched faster than a table is made.
    private static let few = 16

    package private(set) var members: [Member] = []
    /// Where each stands, once they are many: an object may have as many members as a request has room for.
    private var places: [String: Int] = [:]

    package init() {}

    package subscript(name: String) -> JSON? {
        get { place(of: name).map { members[$0].value } }
        set {
            switch (place(of: name), newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil):
                members.remove(at: index)
                places = [:]
                indexIfMany()
            case (nil, let value?):
                members.append(Member(name: name, value: value))
                if places.isEmpty { indexIfMany() } else { places[name] = members.count - 1 }
            case (nil, nil): break
            }
        }
    }

    private func place(of name: String) -> Int? {
        places.isEmpty ? members.firstIndex { $0.name == name } : places[name]
    }

    private mutating func indexIfMany() {
        guard members.count > Self.few else { return }
        for (index, member) in members.enumerated() { places[member.name] = index }
    }
}

extension JSONObject: Equatable {
    /// The order of members has no meaning.
    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.members.count == right.members.count && left.members.allSatisfy { right[$0.name] == $0.value }
    }
}

extension JSON {
    /// Reads a member; writing turns anything but an object into one.
    package subscript(name: String) -> JSON? {
        get { object?[name] }
        set {
            var members = object ?? JSONObject()
            members[name] = newValue
            self = .object(members)
        }
    }

    package var object: JSONObject? { if case .object(let value) = self { value } else { nil } }
    package var array: [JSON]? { if case .array(let value) = self { value } else { nil } }
    package var string: String? { if case .string(let value) = self { value } else { nil } }
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var integer: Int? { if case .integer(let value) = self { value } else { nil } }

    package var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        case .null, .bool, .string, .array, .object: nil
        }
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int) { self = .integer(value) }
    package init(floatLiteral value: Double) { self = .number(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(arrayLiteral elements: JSON...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSON)...) {
        var object = JSONObject()
        for (name, value) in elements { object[name] = value }
        self = .object(object)
    }
}
