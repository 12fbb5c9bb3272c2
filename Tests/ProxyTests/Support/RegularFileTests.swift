import Foundation
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite(.timeLimit(.minutes(5))) struct RegularFileTests {
    /// A pipe that nobody writes to: to open it in the usual way is to wait for ever.
    private func pipe(in directory: TemporaryDirectory) throws -> String {
        let path = "\(directory.path)/pipe"
        try #require(mkfifo(path, 0o600) == 0)
        return path
    }

    @Test func `What is no regular file is an error at once`() throws {
        let directory = try TemporaryDirectory()
        let pipe = try pipe(in: directory)
        #expect(throws: RegularFile.Failure.other("a named pipe")) { try RegularFile.read(pipe, upTo: 100) }
        #expect(throws: RegularFile.Failure.other("a device")) { try RegularFile.read("/dev/zero", upTo: 100) }
        #expect(throws: RegularFile.Failure.directory) { try RegularFile.read(directory.path, upTo: 100) }
        #expect(throws: RegularFile.Failure.system(ENOENT)) {
            try RegularFile.read("\(directory.path)/none", upTo: 100)
        }
        let link = "\(directory.path)/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "pipe")
        #expect(throws: RegularFile.Failure.other("a named pipe")) { try RegularFile.read(link, upTo: 100) }
    }

    @Test func `A file is read up to its limit`() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("abc", to: "file")
        #expect(try RegularFile.read(file, upTo: 3).bytes == Array("abc".utf8))
        #expect(throws: RegularFile.Failure.tooLarge) { try RegularFile.read(file, upTo: 2) }
    }

    /// The configuration, and each kind of file that it names.
    @Test func `A pipe in the place of any file is named`() throws {
        let directory = try TemporaryDirectory()
        let pipe = try pipe(in: directory)
        let outcome = ConfigurationLoader.load(file: pipe, environment: [:], workingDirectory: "/")
        #expect(outcome.errors.map(\.message) == ["this is a named pipe, not a regular file"])
        #expect(throws: ConfigurationError.self) { try ConfigurationFile.read(pipe, name: pipe) }
        #expect(throws: CertificateProblem.self) { try CertificatePair(.init(certificate: pipe, key: pipe)) }
        let key = #expect(throws: KeyFile.Failure.self) {
            try KeyFile.load(APIKeyIdentity(user: "u", tenancy: "t", fingerprint: "f", keyFile: pipe))
        }
        #expect(key?.message == "the key file \(pipe) is a named pipe, not a regular file")
        let token = #expect(throws: CredentialFailure.self) {
            try CredentialFile.read(pipe, what: "the session's token", fix: "m")
        }
        #expect(token?.message == "the file \(pipe) of the session's token is a named pipe, not a regular file")
    }
}

@Suite(.timeLimit(.minutes(5))) struct FileWorkTests {
    private let time = ManualTime()

    @Test func `What hangs is given up and what ends is returned`() async throws {
        let work = FileWork(atOnce: 1)
        let gate = DispatchSemaphore(value: 0)
        #expect(try await work.run(within: .seconds(1), on: time.source) { 7 } == 7)
        let hanging = Task { [time] in try await work.run(within: .seconds(10), on: time.source) { gate.wait() } }
        await time.waitForSleepers()
        // There is no room for what would hang likewise.
        await #expect(throws: FileWork.Overdue.self) { try await work.run(within: .seconds(10), on: time.source) { 7 } }
        time.advance(by: .seconds(10))
        await #expect(throws: FileWork.Overdue.self) { try await hanging.value }
        #expect(work.count == 1)
        gate.signal()
        while work.count > 0 { await Task.yield() }
        #expect(try await work.run(within: .seconds(1), on: time.source) { 8 } == 8)
    }

    @Test func `Who is cancelled does not wait`() async throws {
        let work = FileWork(atOnce: 1)
        let gate = DispatchSemaphore(value: 0)
        let task = Task { [time] in try await work.run(within: .seconds(10), on: time.source) { gate.wait() } }
        await time.waitForSleepers()
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        gate.signal()
    }
}
