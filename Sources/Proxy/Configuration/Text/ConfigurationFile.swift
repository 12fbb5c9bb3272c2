#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Which file is the configuration, what format it has, and its bytes.
package enum ConfigurationFile {
    package enum Format: Sendable, Equatable { case ini, json }

    /// What is read at most: a device or a wrong file must not fill the memory.
    package static let largest = 4 << 20

    /// The file for the given flags: the one that `-config` names; or else `config.conf`, or `multi_config.conf` with
    /// `-multi-account`; or `config.json` when that is missing and this exists.
    package static func choose(config: String?, multiAccount: Bool, exists: (String) -> Bool) -> String {
        if let config { return config }
        let standard = multiAccount ? "multi_config.conf" : "config.conf"
        return !exists(standard) && exists("config.json") ? "config.json" : standard
    }

    /// JSON when the first character that is neither blank nor in a comment is `{`.
    package static func format(of bytes: [UInt8]) -> Format {
        let start = JSONWithComments.start(of: bytes)
        return start < bytes.count && bytes[start] == UInt8(ascii: "{") ? .json : .ini
    }

    /// The whole file. Throws a sentence for each way in which it cannot be read.
    ///
    /// - Parameters:
    ///   - path: where it is.
    ///   - name: how messages call it.
    package static func read(_ path: String, name: String) throws(ConfigurationError) -> [UInt8] {
        try open(path, name: name).bytes
    }

    /// The same, with how the file looks from outside.
    package static func open(_ path: String, name: String) throws(ConfigurationError) -> RegularFile.Contents {
        func failure(_ message: String, _ fix: String) -> ConfigurationError {
            ConfigurationError(ConfigurationIssue(.error, file: name, line: nil, message: message, fix: fix))
        }
        do {
            return try RegularFile.read(path, upTo: largest)
        } catch {
            throw switch error {
            case .system(ENOENT), .system(ENOTDIR):
                failure(
                    "no such file",
                    "copy configs/config.conf.example, configs/multi_config.conf.example or configs/config.json.example there, "
                        + "or name another file with -config")
            case .system(EACCES), .system(EPERM):
                failure("the file cannot be read: permission denied", "allow the proxy's user to read it")
            case .system(let code):
                failure("the file cannot be read: \(SystemCall.message(code))", "check the path")
            case .directory: failure("this is a directory, not a file", "use a file in it with -config")
            case .other(let kind): failure("this is \(kind), not a regular file", "use a regular file with -config")
            case .tooLarge:
                failure("the file is larger than \(ByteSize.format(largest))", "check the path given with -config")
            }
        }
    }

    /// Whether something that can be read as a file stands at a path.
    package static func exists(_ path: String) -> Bool {
        SystemCall.status(of: path).map { $0.st_mode & S_IFMT != S_IFDIR } ?? false
    }
}
