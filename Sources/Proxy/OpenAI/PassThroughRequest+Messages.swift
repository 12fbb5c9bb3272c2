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

    /// The request with a last message of the assistant's, for a model to go on with.
    ///
    /// - Parameters:
    ///   - text: escaped.
    ///   - mark: a member of the message that is true.
    ///   - tokens: by which the limits of the answer's tokens are less.
    ///   - tellsServer: it is said in the way of vLLM's and SGLang's servers, too.
    func continuing(_ text: [UInt8], markedBy mark: String?, tokens: Int, tellsServer: Bool = false)
        -> PassThroughRequest?
    {
        guard let root = try? JSONDocument(parsing: received).root, let last = root.elements(of: "messages").last else {
            return nil
        }
        var edits: [(range: Range<Int>, bytes: [UInt8])] = []
        let end = last.raw.endIndex
        var message = Array(#",{"role":"assistant","content":""#.utf8) + text + Array(#"""#.utf8)
        if let mark { message += Array(#","\#(mark)":true"#.utf8) }
        edits.append((end..<end, message + Array("}".utf8)))
        if tellsServer {
            let end = root.raw.endIndex - 1
            var more = ""
            for (name, value) in [("continue_final_message", "true"), ("add_generation_prompt", "false")] {
                let own = root.members.filter { $0.key.string == name }
                if own.isEmpty { more += #","\#(name)":\#(value)"# }
                for member in own { edits.append((member.value.raw.indices, Array(value.utf8))) }
            }
            edits.append((end..<end, Array(more.utf8)))
        }
        for (key, value) in root.members where key.equals("max_tokens") || key.equals("max_completion_tokens") {
            guard let limit = value.int else { continue }
            guard limit > tokens else { return nil }
            edits.append((value.raw.indices, Array(String(limit - tokens).utf8)))
        }
        var body: [UInt8] = []
        var rest = 0
        for edit in edits.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
            body += received[rest..<edit.range.lowerBound] + edit.bytes
            rest = edit.range.upperBound
        }
        body += received[rest...]
        return try? PassThroughRequest(body: body)
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
