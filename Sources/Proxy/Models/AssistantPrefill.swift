/// How a model is made to go on with a message of the assistant's that stands last, in place of beginning a new one.
///
/// What each takes is from vendors' pages and from users' reports; nothing of it can be asked of a model.
enum AssistantPrefill: Equatable, Sendable {
    /// It needs no more than to stand last.
    case trailing
    /// The message says so by a member of that name, which is true. Some repeat the message before they go on.
    case marked(by: String, echoes: Bool = false)

    var echoes: Bool { if case .marked(_, true) = self { true } else { false } }

    /// The member of the message.
    var mark: String? {
        switch self {
        case .trailing: nil
        case .marked(let member, _): member
        }
    }

    /// What is known of a model.
    enum Known: Equatable, Sendable {
        case takes(AssistantPrefill)
        /// It refuses such a request, or begins a new answer as if nothing had been there.
        case refuses
        case nothing
    }

    /// Beginnings of the names, without what stands before the last `/` and without OCI's vendor; the first that matches counts.
    private static let table: [(names: [String], known: Known)] = [
        (["deepseek"], .takes(.marked(by: "prefix"))),
        (
            ["mistral", "ministral", "mixtral", "codestral", "magistral", "devstral"],
            .takes(.marked(by: "prefix", echoes: true))
        ),
        (["qwen", "qwq"], .takes(.marked(by: "partial"))),
        (["gemini-3.5-flash-lite", "gemini-3.6-flash"], .refuses),
        (["gemini-"], .takes(.trailing)),
        (["gpt-", "o1", "o3", "o4", "chatgpt", "command-"], .refuses),
    ]

    /// Where the vendors themselves serve their models, and know a prefill by their own marks alone. Who else has a model of theirs is likely to run it with vLLM or
    /// SGLang, which begin a new answer unless the request says otherwise (`continue_final_message`).
    private static let vendors = [
        "deepseek.com", "mistral.ai", "aliyuncs.com", "anthropic.com", "googleapis.com", "google.com",
    ]

    /// - Parameter endpoint: a base URL.
    static func isVendor(_ endpoint: String) -> Bool {
        let host = BaseURL(endpoint)?.host.lowercased() ?? ""
        return vendors.contains { host == $0 || host.hasSuffix(".\($0)") }
    }

    static func known(of modelID: String) -> Known {
        let id = modelID.lowercased()
        var name = id[(id.lastIndex(of: "/").map { id.index(after: $0) } ?? id.startIndex)...]
        for vendor in ["google.", "openai.", "cohere."] where name.hasPrefix(vendor) {
            name = name.dropFirst(vendor.count)
        }
        if name.hasPrefix("claude-") { return claude(name) }
        return table.first { $0.names.contains { name.hasPrefix($0) } }?.known ?? .nothing
    }

    /// Up to 4.5 it takes one, from 4.6 on it refuses.
    private static func claude(_ name: Substring) -> Known {
        let numbers = name.split { !$0.isNumber }.compactMap { Int($0) }.filter { $0 < 100 }
        guard let major = numbers.first else { return .nothing }
        let minor = numbers.dropFirst().first ?? 0
        return major > 4 || major == 4 && minor > 5 ? .refuses : .takes(.trailing)
    }
}
