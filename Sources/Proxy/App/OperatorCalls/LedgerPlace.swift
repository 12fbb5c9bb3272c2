#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where a command looks for the ledger of a configuration whose proxy does not run.
struct LedgerPlace: Equatable, Sendable {
    enum Origin: Equatable, Sendable {
        /// The file, the command line or the environment says so.
        case named
        /// The file is where systemd has the configuration of a service, whose state it has in this directory.
        case ofService
        /// The directory of the file, which nobody has named.
        case besideFile
    }

    let directory: String
    let origin: Origin

    /// Of services of this program (`configs/ociai-proxy.service`).
    static let usualServiceDirectory = "/var/lib/ociai-proxy"

    /// - Parameters:
    ///   - settings: of the configuration.
    ///   - named: by the command line; relative to the working directory.
    /// - Throws: `ExitError` when there is to be no ledger, or two places are named.
    init(_ settings: LedgerSettings, of source: ConfigurationSource, named: String?) throws(ExitError) {
        let given = named.map { $0.hasPrefix("/") ? $0 : KeyFileLookup.join(source.workingDirectory, $0) }
        switch settings.directory {
        case .off:
            throw ExitError(
                .badConfiguration,
                "\(source.file) has state_dir = off, so that there is no ledger with keys and requests; set state_dir to a directory"
            )
        case .named(let path):
            if let given, SystemCall.resolved(given) ?? given != SystemCall.resolved(path) ?? path {
                throw ExitError(
                    .badUsage,
                    "-state-dir is \(given), and \(source.file) has state_dir = \(path); leave one of them out")
            }
            self.init(directory: path, origin: .named)
        case .standard:
            let variable = source.environment["STATE_DIRECTORY"]?.split(separator: ":").first.map(String.init)
            if let directory = given ?? variable {
                self.init(directory: directory, origin: .named)
            } else if let service = Self.serviceDirectory(ofConfigurationIn: source.directory), Self.isThere(service) {
                self.init(directory: service, origin: .ofService)
            } else {
                self.init(directory: source.directory, origin: .besideFile)
            }
        }
    }

    init(directory: String, origin: Origin) {
        self.directory = directory
        self.origin = origin
    }

    /// `/var/lib/NAME` for what is in `/etc/NAME`: a unit has one name for both (`ConfigurationDirectory=`, `StateDirectory=`).
    static func serviceDirectory(ofConfigurationIn directory: String) -> String? {
        let parts = directory.split(separator: "/")
        guard parts.count > 1, parts[0] == "etc", parts[1] != "..", parts[1] != "." else { return nil }
        return "/var/lib/\(parts[1])"
    }

    /// Also where this user may not look.
    private static func isThere(_ path: String) -> Bool { SystemCall.status(of: path) != nil || errno == EACCES }

    /// The directory, and why it is that one.
    var sentence: String {
        switch origin {
        case .named: directory
        case .ofService:
            "\(directory), the state directory of the service (started by hand, without STATE_DIRECTORY, it would be that of the configuration file)"
        case .besideFile:
            "\(directory), the directory of the configuration file (a service has its own, by systemd's STATE_DIRECTORY)"
        }
    }

    var file: String { KeyFileLookup.join(directory, "ociai-proxy.db") }

    /// Looks whether a call may open the ledger there.
    ///
    /// - Returns: whose the files are, or are to be.
    /// - Throws: `ExitError` with what is to be done instead.
    func owner(for call: OperatorCall, of source: ConfigurationSource) throws(ExitError) -> (user: uid_t, group: gid_t)?
    {
        let status = SystemCall.status(of: file)
        if status == nil {
            if errno == EACCES {
                throw ExitError(
                    .cannotBind,
                    "this user may not look into \(directory), where the ledger is; run the command as the proxy's user or root (sudo)"
                )
            }
            if origin == .besideFile { try checkBeginning(source) }
            guard call.beginsLedger else {
                throw ExitError(
                    .cannotBind,
                    "there is no ledger in \(directory) yet; start the proxy, create a key, or name the ledger's directory by -state-dir"
                )
            }
        }
        return (status ?? SystemCall.status(of: directory) ?? SystemCall.status(of: source.path)).map {
            ($0.st_uid, $0.st_gid)
        }
    }

    /// A service that is stopped has its ledger elsewhere, and would never see one that begins here.
    private func checkBeginning(_ source: ConfigurationSource) throws(ExitError) {
        if let service = Self.serviceDirectory(ofConfigurationIn: source.directory) {
            throw ExitError(
                .cannotBind,
                "there is no ledger beside \(source.file); the one of a service is in \(service), which its first start makes: start the service, set state_dir in the file, or name the directory by -state-dir"
            )
        }
        guard Self.isThere(Self.usualServiceDirectory) else { return }
        throw ExitError(
            .cannotBind,
            "there is no ledger beside \(source.file), and this machine has a service with one in \(Self.usualServiceDirectory): name the directory that is meant by -state-dir, set state_dir in the file, or start the proxy"
        )
    }
}
