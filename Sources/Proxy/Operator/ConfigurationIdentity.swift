import NIOHTTP1
import ProxyRouting

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Which configuration a process serves with, as it and the command line tell each other: who only knows an address must not change the keys of a
/// proxy that has another configuration.
struct ConfigurationIdentity: Equatable, Sendable {
    /// The field of a request that says for which configuration it is, or `any`; and of its answer, which says whose it is.
    static let field = "x-ociai-configuration"
    /// The field of the answer with the number of the process.
    static let processField = "x-ociai-process"
    /// What a request sends that is for whoever answers.
    static let any = "*"

    /// Absolute, without symbolic links where that can be told.
    let path: String
    /// Tells the file from one of the same path elsewhere, as containers have them; nil when it cannot be looked at.
    let file: String?

    init(path: String, file: String? = nil) {
        self.path = path
        self.file = file
    }

    /// That of the file which is at a path now.
    init(ofFileAt path: String) {
        self.init(
            path: SystemCall.resolved(path) ?? path,
            file: SystemCall.status(of: path).map { "\($0.st_dev)-\($0.st_ino)" })
    }

    /// - Parameter value: of the field; nil comes of what is no such value.
    init?(field value: String) {
        let parts = value.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 2, let path = String(parts[1]).removingPercentEncoding, path.hasPrefix("/") else {
            return nil
        }
        self.init(path: path, file: parts[0] == "-" ? nil : String(parts[0]))
    }

    /// For the field.
    var value: String { "\(file ?? "-") \(path.percentEncodedForQuery)" }

    /// The same file. Where one of both cannot be looked at, the path decides.
    func isSame(as other: ConfigurationIdentity) -> Bool {
        guard let file, let its = other.file else { return path == other.path }
        return file == its
    }
}

/// The process that answers, to those who want to know that it is the right one.
struct OwnIdentity: Sendable {
    /// The path of the configuration.
    let configuration: String

    /// Looks whether a request is for this process, and says in the answer which one it is.
    ///
    /// - Throws: `Failure` when the request names another configuration.
    func check(_ context: RequestContext) throws(Failure) {
        guard let wanted = context.request.head.headers.value(of: "x-ociai-configuration") else { return }
        let own = ConfigurationIdentity(ofFileAt: configuration)
        context.decoration.more = [
            (ConfigurationIdentity.field, own.value), (ConfigurationIdentity.processField, "\(getpid())"),
        ]
        guard wanted != ConfigurationIdentity.any else { return }
        guard let other = ConfigurationIdentity(field: wanted) else {
            throw .invalidRequest(
                "The header \(ConfigurationIdentity.field) must be * or a file's identity and its path, with a space between them.",
                field: ConfigurationIdentity.field, as: .value)
        }
        guard !own.isSame(as: other) else { return }
        throw Failure(
            .unacceptable(.otherConfiguration),
            "This proxy (process \(getpid())) has the configuration \(own.path.quotable), and the request is for that of \(other.path.quotable). Nothing has been done."
        )
    }
}
