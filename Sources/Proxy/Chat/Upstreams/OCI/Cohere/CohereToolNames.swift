/// The names of a chat's tools as COHERE takes them, and the way back: it allows letters, digits and `_`, and no digit in
/// front (OCI wire notes, 3.4). Two tools never get the same name.
struct CohereToolNames: Sendable {
    /// By the client's name.
    private var cohere: [String: String] = [:]
    /// By Cohere's name, where the two differ.
    private var client: [String: String] = [:]

    init(_ tools: [ChatTool] = []) {
        for tool in tools where Self.allowed(tool.name) == tool.name { cohere[tool.name] = tool.name }
        for tool in tools where cohere[tool.name] == nil {
            let wanted = Self.allowed(tool.name)
            var name = wanted
            var number = 2
            while cohere[name] != nil || client[name] != nil {
                name = "\(wanted)_\(number)"
                number += 1
            }
            cohere[tool.name] = name
            client[name] = tool.name
        }
    }

    /// Also for a name that is in the history only.
    func cohere(_ name: String) -> String { cohere[name] ?? Self.allowed(name) }

    /// The client's name for the one in an answer; both escaped.
    func client(_ name: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard !client.isEmpty, let own = client[JSONString.decode(name)] else { return name }
        var escaped: [UInt8] = []
        JSONString.append(own, to: &escaped)
        return escaped[...]
    }

    private static func allowed(_ name: String) -> String {
        let plain = name.unicodeScalars.map { scalar in
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "_": Character(scalar)
            default: Character("_")
            }
        }
        guard let first = plain.first, !("0"..."9").contains(first) else { return "_" + String(plain) }
        return String(plain)
    }
}
