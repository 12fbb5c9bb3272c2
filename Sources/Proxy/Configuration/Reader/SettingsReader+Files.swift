/// The files that the configuration names.
extension SettingsReader {
    /// Makes the paths absolute and checks that what must exist does.
    mutating func resolveFiles(among entries: [SettingEntry]) {
        func line(_ name: String) -> Int { entries.last { $0.name == name }?.line ?? 1 }
        settings.server.tlsCertificate = existing(settings.server.tlsCertificate, key: "tls_cert", line("tls_cert"))
        settings.server.tlsKey = existing(settings.server.tlsKey, key: "tls_key", line("tls_key"))
        settings.caFile = existing(settings.caFile, key: "ca_file", line("ca_file"))
        settings.ledger.pricesFile = existing(settings.ledger.pricesFile, key: "prices_file", line("prices_file"))
        if case .named(let path) = settings.ledger.directory {
            do {
                settings.ledger.directory = .named(try files.place(path))
            } catch {
                reportMissing(error, key: "state_dir", path: path, line("state_dir"), account: nil)
            }
        }
        if case .unix(let path)? = settings.server.admin {
            do {
                let place = try files.place(path)
                settings.server.admin = .unix(place)
                if place.utf8.count > AdminAddress.longestPath {
                    report(
                        .error, line("admin_listen"), "admin_listen: the path \(place) has \(place.utf8.count) bytes",
                        "use a path of at most \(AdminAddress.longestPath) bytes")
                }
            } catch {
                reportMissing(error, key: "admin_listen", path: path, line("admin_listen"), account: nil)
            }
        }
        if settings.logging.file?.lowercased() == "stderr" { settings.logging.file = nil }
        if let path = settings.logging.file {
            do {
                settings.logging.file = try files.place(path)
            } catch {
                reportMissing(error, key: "log_file", path: path, line("log_file"), account: nil)
            }
        }
        let isSet = { (name: String) in entries.last { $0.name == name }.map { !$0.value.isEmpty } ?? false }
        for (given, missing) in [("tls_cert", "tls_key"), ("tls_key", "tls_cert")] where isSet(given) && !isSet(missing)
        {
            report(.error, line(given), "\(given) is set without \(missing)", "set both, or neither")
        }
    }

    /// The path where the file stands; nil, with an error reported, when it does not.
    mutating func existing(_ path: String?, key: String, _ line: Int, in file: String? = nil, account: String? = nil)
        -> String?
    {
        guard let path else { return nil }
        // Somebody put the key itself there, in one line. It must not come back in the message about a missing file.
        guard !path.contains("-----BEGIN") else {
            report(
                .error, line, "\(key) contains PEM text instead of the name of a file",
                "save the PEM text in a file and set \(key) to its path", account: account)
            return nil
        }
        do {
            return try files.find(path)
        } catch {
            reportMissing(error, key: key, path: path, line, in: file, account: account)
            return nil
        }
    }

    private mutating func reportMissing(
        _ failure: KeyFileLookup.Failure, key: String, path: String, _ line: Int, in file: String? = nil,
        account: String?
    ) {
        switch failure {
        case .missing(let candidates):
            report(
                .error, line, "\(key) = \(path): no such file (looked for \(candidates.joined(separator: " and ")))",
                "correct the path, or put the file there", in: file, account: account)
        case .noHome:
            report(
                .error, line, "\(key) = \(path): ~ cannot be expanded because HOME is not set",
                "use an absolute path", in: file, account: account)
        }
    }
}
