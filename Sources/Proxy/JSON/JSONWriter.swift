/// Writes JSON. It puts the commas; the caller keeps brackets and keys in order.
struct JSONWriter {
    /// What has been written.
    private(set) var text: SplicedText
    /// Long parts that are JSON already stay where they are.
    private let isSplicing: Bool
    private var needsComma = false

    init(capacity: Int = 256, isSplicing: Bool = false) {
        text = SplicedText(capacity: capacity)
        self.isSplicing = isSplicing
    }

    /// What has been written, in one piece.
    var bytes: [UInt8] { text.bytes }

    mutating func beginObject() { open(UInt8(ascii: "{")) }
    mutating func endObject() { close(UInt8(ascii: "}")) }
    mutating func beginArray() { open(UInt8(ascii: "[")) }
    mutating func endArray() { close(UInt8(ascii: "]")) }

    /// A member's name; its value comes next. The name is written as it is: it must need no escapes.
    mutating func key(_ name: StaticString) {
        separate()
        text.append("\"", name, "\":")
        needsComma = false
    }

    /// A member's name that is only known at run time. Disfavoured, as a literal would be taken for a `String` and searched for what to escape.
    @_disfavoredOverload
    mutating func key(_ name: String) {
        string(name)
        text.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// A member's name as it is written in another document.
    mutating func memberName(_ name: JSONValue) {
        raw(name.raw)
        text.append(UInt8(ascii: ":"))
        needsComma = false
    }

    mutating func string(_ value: String) {
        separate()
        text.append(UInt8(ascii: "\""))
        text.write { JSONString.append(value, to: &$0) }
        text.append(UInt8(ascii: "\""))
    }

    /// A string out of pieces that are already escaped, as `JSONValue.rawString` gives them.
    mutating func string(escaped pieces: [ArraySlice<UInt8>]) {
        separate()
        text.append(UInt8(ascii: "\""))
        for piece in pieces { append(piece) }
        text.append(UInt8(ascii: "\""))
    }

    /// A string that is already escaped.
    mutating func string(escaped piece: ArraySlice<UInt8>) {
        separate()
        text.append(UInt8(ascii: "\""))
        append(piece)
        text.append(UInt8(ascii: "\""))
    }

    /// A literal that needs no escapes.
    mutating func string(literal value: StaticString) {
        separate()
        text.append("\"", value, "\"")
    }

    mutating func int(_ value: Int) {
        separate()
        text.append(contentsOf: String(value).utf8)
    }

    /// A finite number; anything else is written as null, since JSON has no word for it.
    mutating func double(_ value: Double) {
        separate()
        text.append(contentsOf: (value.isFinite ? String(value) : "null").utf8)
    }

    mutating func bool(_ value: Bool) {
        separate()
        text.append(literal: value ? "true" : "false")
    }

    mutating func null() {
        separate()
        text.append(literal: "null")
    }

    /// Members as they are written, a comma before each, behind others of the same object.
    mutating func members(_ written: [UInt8]) {
        guard written.first == UInt8(ascii: ",") else { return }
        raw(written.dropFirst())
    }

    /// A value that is JSON already.
    mutating func raw(_ value: ArraySlice<UInt8>) {
        separate()
        append(value)
    }

    private mutating func append(_ piece: ArraySlice<UInt8>) {
        if isSplicing { text.splice(piece) } else { text.append(contentsOf: piece) }
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        text.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        text.append(bracket)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { text.append(UInt8(ascii: ",")) }
        needsComma = true
    }
}
