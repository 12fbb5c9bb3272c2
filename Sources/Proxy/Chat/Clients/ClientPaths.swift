import ProxyRouting

/// Says what is to blame in a chat in the words of the client that has sent something else.
struct ClientPaths {
    /// What each message of the chat was made of.
    let places: [JSONValue?]
    /// What members of the chat are called by the client.
    let names: [(chat: String, client: String)]

    /// - Parameter form: how the client's API writes paths.
    func worded(_ failure: Failure, as form: (Failure) -> Failure = { $0 }) -> Failure {
        guard let field = failure.field, let own = own(field), own != field else { return form(failure) }
        var failure = failure
        failure.field = own
        failure.message.replace("'\(field)'", with: "'\(own)'")
        return form(failure)
    }

    /// The client's own path of what the chat's leads to; nil when they are the same.
    private func own(_ path: String) -> String? {
        if let match = path.wholeMatch(of: /messages\[(\d+)\].*/), let index = Int(match.1) {
            return places.indices.contains(index)
                ? places[index]?.path : names.first { $0.chat == "messages" }?.client
        }
        // Only chat completions wrap a function.
        if let match = path.wholeMatch(of: /(tools\[\d+\])\.function(?:(\..*))?/) {
            return "\(match.1)\(match.2 ?? "")"
        }
        for (chat, client) in names where path.hasPrefix(chat) {
            if path.utf8.count == chat.utf8.count { return client }
            let rest = path.dropFirst(chat.utf8.count)
            if rest.hasPrefix(".") || rest.hasPrefix("[") { return client + rest }
        }
        return nil
    }
}
