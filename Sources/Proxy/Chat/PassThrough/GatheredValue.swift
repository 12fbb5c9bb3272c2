/// A value that grows with each delta of a stream, as OpenAI's own clients make it grow: texts and lists get longer, objects member by
/// member, and what names a thing is said once.
///
/// A class, so that a text that comes in a hundred thousand pieces is written into one place.
final class GatheredValue {
    private enum Form {
        /// Null, until something comes.
        case nothing
        case text, list, object
        /// JSON that does not grow.
        case literal
    }

    /// Levels below this one that grow. What lies deeper is taken as it stands.
    private static let growingLevels = 8
    /// Upstreams repeat them with each delta.
    private static let labels: Set<String> = ["id", "type", "role", "name", "index", "format", "object"]

    private var form = Form.nothing
    /// A text, escaped; or the literal.
    private var bytes: [UInt8] = []
    private var members: [(name: String, value: GatheredValue)] = []
    private var places: [String: Int] = [:]
    private var elements: [GatheredValue] = []
    /// Where the elements stand that have an `index`.
    private var numbered: [Int: Int] = [:]
    /// The last element is a part made of texts, and takes more of them.
    private var endsInText = false

    var isNothing: Bool { form == .nothing }

    /// Whether it says nothing that could be shown or done.
    var isHollow: Bool {
        switch form {
        case .nothing, .literal: true
        case .text: bytes.isEmpty
        case .list: elements.isEmpty
        case .object: members.allSatisfy { $0.value.isHollow }
        }
    }

    /// A text, escaped; nil for other forms.
    var text: [UInt8]? { form == .text ? bytes : nil }

    subscript(name: String) -> GatheredValue? { places[name].map { members[$0].value } }

    // MARK: Growing

    func take(_ value: JSONValue) { take(value, isLabel: false, level: 0) }

    /// The same for one member of an object.
    func take(_ value: JSONValue, as name: JSONValue) {
        if form == .nothing { form = .object }
        take(value, as: name, level: 0)
    }

    private func take(_ value: JSONValue, isLabel: Bool, level: Int) {
        switch value.kind {
        case .null: break
        case .string: take(text: value.rawString ?? [], isLabel: isLabel)
        case .array where level < Self.growingLevels: take(list: value, level: level)
        case .object where level < Self.growingLevels: take(object: value, level: level)
        default:
            guard form == .nothing || form == .literal else { return }
            (form, bytes) = (.literal, Array(value.raw))
        }
    }

    private func take(text: ArraySlice<UInt8>, isLabel: Bool) {
        switch form {
        case .nothing, .literal: (form, bytes) = (.text, Array(text))
        case .text where isLabel: if bytes.isEmpty { bytes = Array(text) }
        case .text: bytes.append(contentsOf: text)
        case .list: if !text.isEmpty { takePart(text) }
        case .object: break
        }
    }

    /// Mistral thinks in parts and then goes on in texts.
    private func takePart(_ text: ArraySlice<UInt8>) {
        if !endsInText {
            let part = GatheredValue()
            part.form = .object
            part.member("type").take(text: Array("text".utf8)[...], isLabel: true)
            elements.append(part)
            endsInText = true
        }
        elements[elements.count - 1].member("text").take(text: text, isLabel: false)
    }

    private func take(list: JSONValue, level: Int) {
        switch form {
        case .nothing, .literal: form = .list
        case .text:
            form = .list
            if !bytes.isEmpty { takePart(bytes[...]) }
        case .list: break
        case .object: return
        }
        for element in list.elements {
            endsInText = false
            let index = element.kind == .object ? element["index"]?.int : nil
            if let position = index.flatMap({ numbered[$0] }) {
                elements[position].take(element, isLabel: false, level: level + 1)
                continue
            }
            let value = GatheredValue()
            if let index {
                numbered[index] = elements.count
                value.take(element, isLabel: false, level: level + 1)
            } else {
                (value.form, value.bytes) = (.literal, Array(element.raw))
            }
            elements.append(value)
        }
    }

    private func take(object: JSONValue, level: Int) {
        guard form == .nothing || form == .object || isHollow else { return }
        form = .object
        for (name, value) in object.members { take(value, as: name, level: level) }
    }

    private func take(_ value: JSONValue, as key: JSONValue, level: Int) {
        guard let name = key.string else { return }
        let member = member(name)
        if name == "arguments", value.kind == .object {
            // A text on the wire; clients must never get the object.
            member.take(text: GatheredValue.escaped(value)[...], isLabel: false)
        } else {
            member.take(value, isLabel: Self.labels.contains(name), level: level + 1)
        }
    }

    private static func escaped(_ value: JSONValue) -> [UInt8] {
        var escaped: [UInt8] = []
        JSONString.append(String(decoding: value.raw, as: UTF8.self), to: &escaped)
        return escaped
    }

    private func member(_ name: String) -> GatheredValue {
        if let place = places[name] { return members[place].value }
        let value = GatheredValue()
        places[name] = members.count
        members.append((name, value))
        return value
    }

    // MARK: Writing

    func write(to writer: inout JSONWriter) {
        switch form {
        case .nothing: writer.null()
        case .literal: writer.raw(bytes[...])
        case .text: writer.string(escaped: bytes[...])
        case .list:
            writer.beginArray()
            for element in elements { element.write(to: &writer) }
            writer.endArray()
        case .object:
            writer.beginObject()
            writeMembers(to: &writer)
            writer.endObject()
        }
    }

    /// The members but for some, and but for those that were only ever null.
    func writeMembers(but known: Set<String> = [], to writer: inout JSONWriter) {
        for (name, value) in members where !value.isNothing && !known.contains(name) {
            writer.key(name)
            value.write(to: &writer)
        }
    }
}
