extension EngineFailure {
    /// What an answer means that is none to what was asked. An error of the engine is told by its code: in words that an operator can act
    /// on, with the engine's own behind them.
    package init(refusal answer: RESP) {
        guard case .error(let bytes) = answer else {
            self = .malformed
            return
        }
        // It may be any text, and as long as it likes.
        let text = Self.printable(bytes.prefix(200))
        let code = Self.code(of: text)
        if code == "NOAUTH" {
            self = .refused("it wants a password, and was given none")
        } else if code == "WRONGPASS" || code == "NOPERM" || Self.isForbiddenInScript(text) {
            self = .refused(text)
        } else if let meaning = Self.meanings.first(where: { $0.code == code }) {
            // Where it sends somebody, it names an address.
            self = .unable(meaning.hasAddress ? "\(meaning.words) (\(code))" : "\(meaning.words) (\(text))")
        } else {
            self = .unable("it refuses what is asked: \(text)")
        }
    }

    private struct Meaning {
        let code: String
        let words: String
        var hasAddress = false
    }

    private static let meanings: [Meaning] = [
        Meaning(code: "LOADING", words: "it has been started, and still reads its data"),
        Meaning(
            code: "READONLY", words: "it is a replica, and takes no writes: the address must lead to the primary"),
        Meaning(code: "MASTERDOWN", words: "it is a replica that has lost its primary"),
        Meaning(code: "OOM", words: "its memory is full: raise its maxmemory"),
        Meaning(
            code: "BUSY", words: "a script there runs too long, and all wait for it: SCRIPT KILL ends it"),
        Meaning(
            code: "MISCONF", words: "it cannot save its data, and takes no writes until it can: see its log"),
        Meaning(
            code: "NOREPLICAS", words: "it has fewer replicas than min-replicas-to-write, and takes no writes"),
        Meaning(code: "CLUSTERDOWN", words: "its cluster has lost nodes, and serves no keys"),
        Meaning(
            code: "MOVED", words: "the nodes of its cluster do not agree on which of them has the keys",
            hasAddress: true),
        Meaning(
            code: "ASK", words: "its cluster moves the keys to another node at the moment", hasAddress: true),
        Meaning(code: "TRYAGAIN", words: "its cluster moves the keys to another node at the moment"),
        Meaning(
            code: "CROSSSLOT",
            words: "it holds that the keys belong to several hash slots, though all have one hash tag: is it a proxy?"),
        Meaning(
            code: "DENIED",
            words: "it is in protected mode, and takes connections of its own machine alone: it needs a password"),
    ]

    /// Redis 6 tells of an error inside of a script in a text that begins with `ERR Error running script`, and has the code in its middle.
    private static func code(of text: String) -> String {
        let first = String(text.prefix { $0 != " " })
        guard first == "ERR", text.contains("Error running script") else { return first }
        return meanings.first { text.contains("-\($0.code) ") }?.code ?? first
    }

    /// What a user may not do inside of a script: up to Redis 7.0, and since.
    private static func isForbiddenInScript(_ text: String) -> Bool {
        text.contains("can't run this command or subcommand") || text.contains("ACL failure in script")
    }

    private static func printable(_ bytes: some Sequence<UInt8>) -> String {
        String(decoding: bytes.map { $0 < 0x20 || $0 == 0x7F ? 0x20 : $0 }, as: UTF8.self)
    }
}
