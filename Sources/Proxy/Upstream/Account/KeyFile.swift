#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Reads an account's key file and checks that it fits the account.
enum KeyFile {
    /// What is odd about a key that works, as a sentence.
    struct Loaded {
        let key: PrivateKey
        let warnings: [String]
    }

    /// Why a key cannot be used, and which setting to look at.
    struct Failure: Error, Equatable {
        enum Culprit: Equatable { case keyFile, passPhrase, fingerprint }
        let culprit: Culprit
        /// What is wrong, and how to mend it.
        let message: String
        let mend: String
    }

    /// - Throws: a sentence of its own for each way in which a key cannot be used.
    static func load(_ identity: APIKeyIdentity) throws(Failure) -> Loaded {
        let bytes = try read(identity.keyFile)
        let key: PrivateKey
        do {
            key = try PrivateKey(pem: bytes, passPhrase: identity.passPhrase)
        } catch {
            let parts = error.description.split(separator: ";", maxSplits: 1)
            throw Failure(
                culprit: error == .wrongPassPhrase ? .passPhrase : .keyFile,
                message: "the key file \(identity.keyFile) cannot be used: \(parts[0])",
                mend: parts.count > 1 ? parts[1].trimmingBlanks().description : "name another key_file")
        }
        guard key.fingerprint == identity.fingerprint else {
            throw Failure(
                culprit: .fingerprint,
                message: "fingerprint \(identity.fingerprint) does not match the key file \(identity.keyFile), whose fingerprint is \(key.fingerprint)",
                mend: "set fingerprint to that of the key, or key_file to the key of that fingerprint")
        }
        return Loaded(key: key, warnings: warnings(for: key, file: identity.keyFile))
    }

    private static func warnings(for key: PrivateKey, file: String) -> [String] {
        var warnings: [String] = []
        if key.bits > 2048 {
            warnings.append(
                "the key file \(file) holds an RSA-\(key.bits) key: at 4096 bits a signature costs about 14 times the CPU of a 2048-bit one "
                    + "(some 3 to 11 ms instead of 0.2 to 0.8 per request); OCI takes 2048 bits as well")
        }
        if key.bits < 2048 {
            warnings.append("the key file \(file) holds an RSA-\(key.bits) key: OCI asks for 2048 bits or more")
        }
        var status = stat()
        if stat(file, &status) == 0, status.st_mode & 0o077 != 0 {
            warnings.append("the key file \(file) can be read by other users; run 'chmod 600 \(file)'")
        }
        return warnings
    }

    private static func read(_ path: String) throws(Failure) -> [UInt8] {
        do {
            return try ConfigurationFile.read(path, name: path)
        } catch {
            let issue = error.errors.first
            throw Failure(
                culprit: .keyFile, message: "the key file \(path) cannot be read: \(issue?.message ?? "unknown reason")",
                mend: issue?.message == "no such file" ? "name an existing file as key_file" : issue?.mend ?? "check the path")
        }
    }
}
