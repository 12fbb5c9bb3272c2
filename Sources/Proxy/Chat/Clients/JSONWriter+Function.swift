/// Functions in the form of chat completions.
extension JSONWriter {
    /// A tool, up to its name. What follows are the other members of the function.
    mutating func beginFunction(named name: ArraySlice<UInt8>) {
        beginObject()
        functionMembers(named: name)
    }

    /// The end of a tool.
    mutating func endFunction() {
        endObject()
        endObject()
    }

    /// What a call has behind its id, and its end. All texts are escaped.
    mutating func endCall(of name: ArraySlice<UInt8>, with arguments: [ArraySlice<UInt8>]) {
        functionMembers(named: name)
        key("arguments")
        string(escaped: arguments)
        endFunction()
    }

    /// The type, and the function up to its name: a tool and a call have both.
    private mutating func functionMembers(named name: ArraySlice<UInt8>) {
        key("type")
        string(literal: "function")
        key("function")
        beginObject()
        key("name")
        string(escaped: name)
    }
}
