extension PassThroughRequest {
    /// The request with a member of its last message that is true; itself when there is no message.
    func marking(lastMessageBy member: String) -> PassThroughRequest {
        guard let root = try? JSONDocument(parsing: received).root, let last = root.elements(of: "messages").last,
            last.kind == .object
        else { return self }
        let end = last.raw.endIndex - 1
        let body = received[..<end] + Array(#","\#(member)":true"#.utf8) + received[end...]
        return (try? PassThroughRequest(body: Array(body))) ?? self
    }

    /// The request without the older half of its conversation: what stands behind the system messages goes, up to a message of the user's.
    ///
    /// - Returns: nil when nothing can go, since the user's last word is to stay.
    func withoutOldestMessages() -> PassThroughRequest? {
        guard let root = try? JSONDocument(parsing: received).root, let messages = root.present("messages") else {
            return nil
        }
        let all = Array(messages.elements)
        func has(_ role: StaticString, _ message: JSONValue) -> Bool { message["role"]?.equals(role) == true }
        let first = all.firstIndex { !has("system", $0) } ?? all.endIndex
        let middle = first + max(1, (all.count - first) / 2)
        guard let cut = all.indices.first(where: { $0 >= middle && has("user", all[$0]) }) else { return nil }
        let kept = (all[..<first] + all[cut...]).map { Array($0.raw) }
        let range = messages.raw.indices
        let body = received[..<range.lowerBound] + JSONWriter.array(of: kept) + received[range.upperBound...]
        return try? PassThroughRequest(body: Array(body))
    }
}
