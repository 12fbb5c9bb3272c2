/// Where the words of an error stand in what an upstream sends. There are as many forms as vendors, frameworks and gateways, so anything that is said under a name
/// that errors have, and is neither blank nor markup, is better told than dropped.
enum MessageWords {
    /// Bytes of a message that are passed on.
    static let longest = 4 << 10

    /// Names of members, the most telling first.
    private static let names: [StaticString] = [
        "message", "msg", "error_message", "errorMessage", "error_msg", "errorMsg", "Message", "status_msg", "detail",
        "error_description", "description", "error", "details",
        "errors", "reason", "title", "cause", "explanation",
    ]

    /// What frameworks write for a status, and says no more than it.
    private static let phrases: Set<String> = [
        "bad request", "unauthorized", "forbidden", "not found", "method not allowed", "not acceptable",
        "request timeout", "conflict", "gone", "payload too large",
        "content too large", "request entity too large", "unsupported media type", "unprocessable entity",
        "unprocessable content", "failed dependency", "too many requests",
        "unavailable for legal reasons", "internal server error", "not implemented", "bad gateway",
        "service unavailable", "gateway timeout", "error", "failed", "failure",
        "validation error", "validation failed", "request failed", "api error", "unknown error",
        "provider returned error", "http exception", "invalid request",
    ]

    /// The words of one layer: the first that say more than a status does, else the first.
    static func of(_ layer: JSONValue) -> String? { of(layer, level: 0) }

    private static func of(_ layer: JSONValue, level: Int) -> String? {
        guard layer.kind == .object else { return text(layer, level: level) }
        var phrase: String?
        for name in names {
            guard let value = layer[name], let found = text(value, level: level) else { continue }
            guard phrases.contains(found.lowercased()) else { return found }
            phrase = phrase ?? found
        }
        return phrase
    }

    /// A text, or the complaints of a list or of an object, in one line.
    private static func text(_ value: JSONValue, level: Int) -> String? {
        guard level < 4 else { return nil }
        switch value.kind {
        case .string: return value.string.flatMap(shown)
        case .array:
            let complaints = value.elements.lazy.prefix(8).compactMap { complaint($0, level: level + 1) }
            return complaints.isEmpty ? nil : complaints.joined(separator: "; ")
        case .object:
            if let found = of(value, level: level + 1) { return found }
            return byField(value, level: level)
        case .number, .true, .false, .null: return nil
        }
    }

    /// The complaints of an object that has a list of them for each field: `{"max_tokens":["must be positive"]}`.
    static func byField(_ object: JSONValue) -> String? { byField(object, level: 0) }

    private static func byField(_ object: JSONValue, level: Int) -> String? {
        let complaints = object.members.lazy.prefix(8).compactMap { key, value in
            value.kind == .array ? text(value, level: level + 1).map { "\(key.string ?? ""): \($0)" } : nil
        }
        return complaints.isEmpty ? nil : complaints.joined(separator: "; ")
    }

    /// One of several, with the place that it speaks of.
    private static func complaint(_ value: JSONValue, level: Int) -> String? {
        guard let words = of(value, level: level) else { return nil }
        guard let place = place(of: value), !words.contains(place) else { return words }
        return "\(place): \(words)"
    }

    /// The field that the first complaint of a layer speaks of, as a path.
    static func place(in layer: JSONValue) -> String? {
        for name in ["detail", "details", "errors", "message"] as [StaticString] {
            guard let list = layer[name], list.kind == .array else { continue }
            if let place = list.elements.lazy.compactMap(place(of:)).first { return place }
        }
        return place(of: layer)
    }

    private static func place(of complaint: JSONValue) -> String? {
        guard complaint.kind == .object else { return nil }
        if let loc = complaint["loc"], loc.kind == .array {
            let steps = loc.elements.prefix(8).compactMap { $0.string ?? $0.int.map(String.init) }
            let path = (steps.first == "body" ? steps.dropFirst() : steps[...]).joined(separator: ".")
            return path.isEmpty || path.utf8.count > 128 ? nil : path
        }
        for name in ["param", "field", "property"] as [StaticString] {
            if let place = complaint[name]?.string, (1...128).contains(place.utf8.count) { return place }
        }
        return nil
    }

    // MARK: Text

    /// A body that is no JSON, if it is a text.
    static func plain(_ body: [UInt8]) -> String? {
        let text = body.prefix(longest)
        // Half a document says less than nothing.
        guard let first = text.first(where: { $0 > 0x20 }), first != UInt8(ascii: "{"), first != UInt8(ascii: "["),
            !text.contains(0)
        else { return nil }
        return shown(String(decoding: text, as: UTF8.self))
    }

    private static func beginsAsMarkup(_ text: Substring.UTF8View) -> Bool {
        guard text.first == UInt8(ascii: "<"), let second = text.dropFirst().first else { return false }
        // "<400> InternalError" is DashScope's way to tell a status.
        return !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(second)
    }

    /// A text that can be shown: blanks are none, and markup of a gateway in between helps nobody.
    static func shown(_ text: String) -> String? {
        guard let start = text.utf8.firstIndex(where: { $0 > 0x20 }), !beginsAsMarkup(text.utf8[start...]) else {
            return nil
        }
        let beginning = text.cut(toBytes: longest)
        let lower = beginning.lowercased()
        guard !["<html", "<!doctype", "<head", "<body", "</"].contains(where: { lower.contains($0) }) else {
            return nil
        }
        return beginning
    }
}
