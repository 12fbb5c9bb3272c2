/// The arguments of a tool call, as upstreams write them.
enum ToolCallArguments {
    /// The arguments of a tool call, escaped. They are a text on the wire; an upstream that writes the object itself is
    /// understood as well, since clients must never get one.
    static func escaped(of call: JSONValue) -> ArraySlice<UInt8> {
        guard let value = call.present("arguments") else { return [] }
        if let text = value.rawString { return text }
        guard value.kind == .object else { return [] }
        var escaped: [UInt8] = []
        JSONString.append(String(decoding: value.raw, as: UTF8.self), to: &escaped)
        return escaped[...]
    }
}
