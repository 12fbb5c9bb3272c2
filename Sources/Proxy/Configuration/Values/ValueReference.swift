/// A value that stands elsewhere: `${NAME}`, a variable of the environment or a credential of systemd; `file:PATH`, what a file holds.
///
/// The whole value is the reference. A `${` in the middle of one is text, as passwords may have it.
enum ValueReference: Equatable, Sendable {
    case variable(String)
    case file(String)

    /// - Parameter isSecret: for values that are no paths themselves, a file may be named.
    /// - Returns: nil for a value that stands for itself.
    init?(_ text: String, isSecret: Bool) {
        if text.hasPrefix("${"), text.hasSuffix("}") {
            let name = text.dropFirst(2).dropLast()
            guard let first = name.utf8.first, !(0x30...0x39).contains(first), name.utf8.allSatisfy(Self.isNameByte)
            else {
                return nil
            }
            self = .variable(String(name))
        } else if isSecret, text.hasPrefix("file:"), text.utf8.count > 5 {
            self = .file(String(text.dropFirst(5)))
        } else {
            return nil
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || byte == UInt8(ascii: "_")
    }

    /// Where the value comes from, for messages.
    var origin: String {
        switch self {
        case .variable(let name): "environment variable \(name)"
        case .file(let path): "file \(path)"
        }
    }
}

/// Finds what references stand for.
struct ReferencedValues: Sendable {
    let environment: CredentialEnvironment
    let files: KeyFileLookup

    /// Why there is no value: what is wrong, as the end of a sentence, and how to mend it.
    struct Failure: Error, Equatable, Sendable {
        let reason: String
        let fix: String
    }

    /// A key, a token, a passphrase: nobody has a longer one.
    private static let longest = 64 << 10

    func value(of reference: ValueReference) throws(Failure) -> String {
        switch reference {
        case .variable(let name): try variable(name)
        case .file(let path): try file(path)
        }
    }

    /// What the environment says, else what systemd has given to the service under that name.
    private func variable(_ name: String) throws(Failure) -> String {
        if let value = environment[name] { return try checked(value, "environment variable \(name)") }
        let directory = environment["CREDENTIALS_DIRECTORY"]
        if let directory, let bytes = environment.read(KeyFileLookup.join(directory, name)) {
            return try text(bytes, "the credential \(name)")
        }
        throw Failure(
            reason: directory == nil
                ? "environment variable \(name) is not set, or empty"
                : "environment variable \(name) is not set, or empty, and systemd has given no credential of that name",
            fix: "set it in the environment of the proxy, or give it as a credential (LoadCredential=\(name):/path)")
    }

    private func file(_ path: String) throws(Failure) -> String {
        let found: String
        do {
            found = try files.find(path)
        } catch {
            throw switch error {
            case .missing(let candidates):
                Failure(
                    reason: "no such file (looked for \(candidates.joined(separator: " and ")))",
                    fix: "correct the path, or put the file there")
            case .noHome: Failure(reason: "~ cannot be expanded because HOME is not set", fix: "use an absolute path")
            }
        }
        guard let bytes = environment.read(found) else {
            throw Failure(reason: "\(found) cannot be read", fix: "allow the proxy's user to read it")
        }
        return try text(bytes, found)
    }

    /// The only line of a file, without its end: editors add one.
    private func text(_ bytes: [UInt8], _ place: String) throws(Failure) -> String {
        guard bytes.count <= Self.longest, var text = String(validating: bytes, as: UTF8.self) else {
            throw Failure(reason: "\(place) is no text of one line", fix: "write the value alone into it")
        }
        while text.last?.isWhitespace == true { text.removeLast() }
        return try checked(text, place)
    }

    private func checked(_ text: String, _ place: String) throws(Failure) -> String {
        guard !text.isEmpty else { throw Failure(reason: "\(place) is empty", fix: "write the value into it") }
        guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control && $0 != "\t" }) else {
            throw Failure(reason: "\(place) has more than one line", fix: "write the value alone into it")
        }
        return text
    }
}
