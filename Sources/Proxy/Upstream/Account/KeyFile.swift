#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Reads an account's key file and checks that it fits the account.
enum KeyFile {
    struct Loaded {
        let key: PrivateKey
        /// What is odd about a key that works: a sentence each, what and how to mend it, with a semicolon between.
        let warnings: [String]
    }

    /// Why a key cannot be used, and which setting to look at. The caller adds the configuration's file and line.
    struct Failure: Error, Equatable {
        enum Culprit: Equatable { case keyFile, passPhrase, fingerprint }
        let culprit: Culprit
        /// What is wrong.
        let message: String
        /// How to mend it, as an imperative.
        let fix: String
    }

    /// What is read at most: the largest key has some 12 KiB, and a device must not fill the memory.
    static let largest = 256 << 10

    /// - Throws: a sentence of its own for each way in which a key cannot be used.
    static func load(_ identity: APIKeyIdentity) throws(Failure) -> Loaded {
        let file = try read(identity.keyFile)
        return try open(
            file.bytes, path: identity.keyFile, mode: file.mode, passPhrase: identity.passPhrase,
            fingerprint: identity.fingerprint)
    }

    /// Judges the bytes of a key file.
    ///
    /// - Parameters:
    ///   - path: for the sentences.
    ///   - mode: the permission bits; nil for what is no ordinary file, such as a pipe.
    ///   - fingerprint: the one that the configuration names, in lower case.
    static func open(
        _ bytes: [UInt8], path: String, mode: UInt32?, passPhrase: Secret?, fingerprint: String
    ) throws(Failure) -> Loaded {
        if bytes.isEmpty {
            throw Failure(
                culprit: .keyFile, message: "the key file \(path) is empty",
                fix: "copy the private key into it, or set key_file to another file")
        }
        let key: PrivateKey
        do {
            key = try PrivateKey(pem: bytes, passPhrase: passPhrase)
        } catch {
            let isPassPhrase = error == .wrongPassPhrase || error == .encryptedWithoutPassPhrase
            throw Failure(
                culprit: isPassPhrase ? .passPhrase : .keyFile,
                message: "the key file \(path) cannot be used: \(error.reason)", fix: error.fix)
        }
        guard key.fingerprint == fingerprint else {
            throw Failure(
                culprit: .fingerprint,
                message:
                    "fingerprint \(fingerprint) does not match the key file \(path), whose fingerprint is \(key.fingerprint)",
                fix:
                    "if this key is the one uploaded for the user, set fingerprint to \(key.fingerprint); otherwise set key_file to the key with fingerprint \(fingerprint)"
            )
        }
        return Loaded(key: key, warnings: warnings(bits: key.bits, path: path, mode: mode))
    }

    /// - Parameter bits: length of the modulus.
    static func warnings(bits: Int, path: String, mode: UInt32?) -> [String] {
        var warnings: [String] = []
        if bits > 2048 {
            warnings.append(
                "the key file \(path) contains an RSA-\(bits) key, and longer keys sign more slowly: RSA-4096 takes 6 to 14 times as "
                    + "much CPU time as RSA-2048 (measured per request: 3 ms and 0.22 ms with AVX512-IFMA, 4.7 ms and 0.75 ms without); "
                    + "use a 2048-bit key, which OCI also accepts")
        }
        if bits < 2048 {
            warnings.append(
                "the key file \(path) contains an RSA-\(bits) key, but OCI requires at least 2048 bits; create a 2048-bit key"
            )
        }
        if let mode, mode & 0o077 != 0 {
            warnings.append("the key file \(path) is accessible to other users of this machine; run chmod 600 on it")
        }
        return warnings
    }

    /// - Parameter code: the `errno` of opening or reading.
    static func failure(_ code: Int32, path: String) -> Failure {
        let (what, fix) =
            switch code {
            case ENOENT, ENOTDIR: ("does not exist", "set key_file to an existing file")
            case EACCES, EPERM: ("cannot be read: permission denied", "allow the proxy's user to read it")
            case EISDIR: ("is a directory", "set key_file to a file in it")
            default: ("cannot be read: \(SystemCall.message(code))", "check key_file")
            }
        return Failure(culprit: .keyFile, message: "the key file \(path) \(what)", fix: fix)
    }

    private static func read(_ path: String) throws(Failure) -> (bytes: [UInt8], mode: UInt32) {
        do {
            let file = try RegularFile.read(path, upTo: largest)
            return (file.bytes, file.mode)
        } catch {
            switch error {
            case .system(let code): throw failure(code, path: path)
            case .directory: throw failure(EISDIR, path: path)
            case .other(let kind):
                throw Failure(
                    culprit: .keyFile, message: "the key file \(path) is \(kind), not a regular file",
                    fix: "set key_file to a regular file")
            case .tooLarge:
                throw Failure(
                    culprit: .keyFile,
                    message: "the key file \(path) is larger than \(largest >> 10) KiB, so it is not a key",
                    fix: "set key_file to the private key file")
            }
        }
    }
}
