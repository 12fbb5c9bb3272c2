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
                fix: "copy the private key into it, or name another key_file")
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
                    "set fingerprint to \(key.fingerprint) if that key was uploaded for the user, else key_file to the key of \(fingerprint)"
            )
        }
        return Loaded(key: key, warnings: warnings(bits: key.bits, path: path, mode: mode))
    }

    /// - Parameter bits: length of the modulus.
    static func warnings(bits: Int, path: String, mode: UInt32?) -> [String] {
        var warnings: [String] = []
        if bits > 2048 {
            warnings.append(
                "the key file \(path) holds an RSA-\(bits) key, and the longer a key, the dearer its signature: RSA-4096 costs 6 to 14 times as "
                    + "much CPU as RSA-2048 (measured per request: 3 ms against 0.22 ms with AVX512-IFMA, 4.7 ms against 0.75 ms without); "
                    + "use a key of 2048 bits, which OCI takes as well")
        }
        if bits < 2048 {
            warnings.append(
                "the key file \(path) holds an RSA-\(bits) key and OCI asks for 2048 bits or more; make a key of 2048 bits"
            )
        }
        if let mode, mode & 0o077 != 0 {
            warnings.append("the key file \(path) is open to other users of this machine; run chmod 600 on it")
        }
        return warnings
    }

    /// - Parameter code: the `errno` of opening or reading.
    static func failure(_ code: Int32, path: String) -> Failure {
        let (what, fix) =
            switch code {
            case ENOENT, ENOTDIR: ("does not exist", "name an existing file as key_file")
            case EACCES, EPERM: ("may not be read", "give the user of this process the right to read it")
            case EISDIR: ("is a directory", "name a file in it as key_file")
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
                    culprit: .keyFile, message: "the key file \(path) is \(kind) and no file",
                    fix: "name a regular file as key_file")
            case .tooLarge:
                throw Failure(
                    culprit: .keyFile,
                    message: "the key file \(path) is larger than \(largest >> 10) KiB, so it is no key",
                    fix: "name the private key file as key_file")
            }
        }
    }
}
