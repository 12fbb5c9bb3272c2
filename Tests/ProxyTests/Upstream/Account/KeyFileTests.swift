import Foundation
import Testing

@testable import Proxy

@Suite struct KeyFileTests {
    private let fingerprint = "cf:26:05:45:4e:84:3b:74:c4:21:37:67:58:98:b0:3e"

    private func identity(_ path: String, _ fingerprint: String? = nil, passPhrase: String? = nil) -> APIKeyIdentity {
        APIKeyIdentity(
            user: "u", tenancy: "t", fingerprint: fingerprint ?? self.fingerprint, keyFile: path,
            passPhrase: passPhrase.map { Secret($0) })
    }

    private func failure(_ identity: APIKeyIdentity) -> KeyFile.Failure? {
        do throws(KeyFile.Failure) {
            _ = try KeyFile.load(identity)
            return nil
        } catch {
            return error
        }
    }

    private func fixture(_ name: String) throws -> String { URL.fixture("oci/signing/\(name)").path }

    /// A file of its own with these bytes and this mode, removed afterwards.
    private func withFile<R>(_ bytes: [UInt8], mode: Int = 0o600, _ use: (String) throws -> R) throws -> R {
        let path = FileManager.default.temporaryDirectory.appending(path: "key-\(UUID().uuidString).pem").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try #require(
            FileManager.default.createFile(atPath: path, contents: Data(bytes), attributes: [.posixPermissions: mode]))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return try use(path)
    }

    @Test func `A key that fits is loaded`() throws {
        try withFile(Array(Data(contentsOf: .fixture("oci/signing/test_key_label.pem")))) { path in
            let loaded = try KeyFile.load(identity(path))
            #expect(loaded.key.fingerprint == fingerprint)
            #expect(loaded.warnings.isEmpty)
        }
    }

    @Test func `Each way to miss a key has its own sentence`() throws {
        let encrypted = try fixture("test_key_encrypted_pkcs8.pem")
        let other = "00:26:05:45:4e:84:3b:74:c4:21:37:67:58:98:b0:3e"
        let empty = try withFile([]) { failure(identity($0)) }
        let large = try withFile([UInt8](repeating: 65, count: KeyFile.largest + 1)) { failure(identity($0)) }
        let failures = [
            failure(identity("/nonexistent/key.pem")), failure(identity(FileManager.default.temporaryDirectory.path)),
            empty, large,
            failure(identity(try fixture("test_public.pem"))), failure(identity(try fixture("identity.json"))),
            failure(identity(encrypted)), failure(identity(encrypted, passPhrase: "wrong")),
            failure(identity(try fixture("test_key.pem"), other)),
        ].compactMap { $0 }
        #expect(failures.count == 9)
        #expect(Set(failures.map(\.message)).count == 9)
        #expect(
            failures.map(\.culprit) == [
                .keyFile, .keyFile, .keyFile, .keyFile, .keyFile, .keyFile, .passPhrase, .passPhrase, .fingerprint,
            ])
        #expect(failures.allSatisfy { !$0.fix.isEmpty })
        #expect(failures[0].message == "the key file /nonexistent/key.pem does not exist")
        #expect(failures[1].message.hasSuffix("is a directory"))
    }

    @Test func `A wrong fingerprint shows both and which to change`() throws {
        let other = "00:26:05:45:4e:84:3b:74:c4:21:37:67:58:98:b0:3e"
        let failure = try #require(failure(identity(try fixture("test_key.pem"), other)))
        #expect(failure.message.contains(other) && failure.message.contains(fingerprint))
        #expect(failure.fix.contains("set fingerprint to \(fingerprint)") && failure.fix.contains("key_file"))
    }

    @Test func `No sentence shows the pass phrase`() throws {
        let failure = try #require(
            failure(identity(try fixture("test_key_encrypted_pkcs1.pem"), passPhrase: "hunter2")))
        #expect(!"\(failure)".contains("hunter2"))
    }

    @Test(arguments: [
        (EACCES, "cannot be read: permission denied"), (EPERM, "cannot be read: permission denied"),
        (ENOENT, "does not exist"),
        (ENOTDIR, "does not exist"), (EIO, "cannot be read"),
    ])
    func `The systems reasons become sentences`(code: Int32, words: String) {
        #expect(KeyFile.failure(code, path: "k").message.contains(words))
    }

    @Test func `A pipe is no key file`() throws {
        let pem = try Data(contentsOf: .fixture("oci/signing/test_key.pem"))
        let pipe = Pipe()
        try pipe.fileHandleForWriting.write(contentsOf: pem)
        try pipe.fileHandleForWriting.close()
        // It may be one that nobody ever writes to.
        let failure = #expect(throws: KeyFile.Failure.self) {
            try KeyFile.load(identity("/dev/fd/\(pipe.fileHandleForReading.fileDescriptor)"))
        }
        #expect(failure?.message.hasSuffix("is a named pipe, not a regular file") == true)
    }

    @Test(arguments: [(0o600, false), (0o400, false), (0o640, true), (0o604, true), (0o620, true)])
    func `A file open to others gets a warning`(mode: Int, warns: Bool) throws {
        try withFile(Array(Data(contentsOf: .fixture("oci/signing/test_key.pem"))), mode: mode) { path in
            let warnings = try KeyFile.load(identity(path)).warnings
            #expect(warnings.contains { $0.contains("chmod 600") } == warns)
        }
    }

    @Test func `A long key gets a warning with its cost`() {
        let warnings = KeyFile.warnings(bits: 4096, path: "k", mode: 0o600)
        #expect(warnings.count == 1)
        #expect(warnings.allSatisfy { $0.contains("RSA-4096") && $0.contains("14 times") && $0.contains("3 ms") })
        #expect(KeyFile.warnings(bits: 3072, path: "k", mode: 0o600).count == 1)
        #expect(KeyFile.warnings(bits: 2048, path: "k", mode: 0o600).isEmpty)
    }

    @Test func `A short key gets a warning`() throws {
        let key = try PrivateKey(pem: Array(KeySamples.rsa1024.utf8), passPhrase: nil)
        try withFile(Array(KeySamples.rsa1024.utf8)) { path in
            let warnings = try KeyFile.load(identity(path, key.fingerprint)).warnings
            #expect(warnings.count == 1 && warnings.allSatisfy { $0.contains("RSA-1024") })
        }
    }
}
