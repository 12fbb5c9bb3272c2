import Foundation
import LedgerTestSupport
import ProxyAccounting
import Testing

@testable import ProxyLedger

@Suite(.timeLimit(.minutes(5))) struct FilePlaceTests {
    private let harness = LedgerHarness()

    enum Thing: CaseIterable {
        case directory, pipe, socket, device

        var words: String {
            switch self {
            case .directory: "is a directory and not a file"
            case .pipe: "is a named pipe and not a file"
            case .socket: "is a socket and not a file"
            case .device: "is a device and not a file"
            }
        }

        func make(at path: String) throws {
            switch self {
            case .directory:
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
                try Data("kept".utf8).write(to: URL(fileURLWithPath: path + "/file"))
            case .pipe: try #require(mkfifo(path, 0o600) == 0)
            case .socket: try #require(bindSocket(path))
            case .device: try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/dev/null")
            }
        }
    }

    private func prepare() throws {
        try FileManager.default.createDirectory(atPath: harness.directory, withIntermediateDirectories: true)
    }

    @Test(arguments: Thing.allCases, ["db", "db-wal", "db-shm", "db-journal", "lock"])
    func `What is no file in the place of one is refused at once, and stays`(thing: Thing, name: String) async throws {
        try prepare()
        let path = harness.directory + "/ociai-proxy." + name
        try thing.make(at: path)
        let (code, words) = await OpeningTests.code { try harness.open() }
        #expect(code == .foreign)
        #expect(words.contains("\(path) \(thing.words)") && words.contains("move it away"), "\(words)")
        #expect(FileManager.default.fileExists(atPath: path))
        // With that out of the way it opens.
        try FileManager.default.removeItem(atPath: path)
        let ledger = try harness.open()
        await ledger.close(within: .seconds(600))
    }

    @Test(arguments: Thing.allCases, ["secret", "secret.new"])
    func `It is refused in the place of the secret, too`(thing: Thing, name: String) async throws {
        try prepare()
        let path = harness.directory + "/ociai-proxy." + name
        try thing.make(at: path)
        let ledger = try harness.open()
        let error = await #expect(throws: LedgerError.self) { _ = try await ledger.secret() }
        #expect(error?.description.contains("\(path) \(thing.words)") == true)
        if thing == .directory { #expect(FileManager.default.fileExists(atPath: path + "/file"), "nothing of it goes") }
        try FileManager.default.removeItem(atPath: path)
        let (secret, isNew) = try await ledger.secret()
        #expect(secret.count == 32 && isNew)
        #expect(try await ledger.secret() == (secret, false))
        await ledger.close(within: .seconds(600))
    }

    @Test func `A pipe that takes the file's place while it is in use costs rows, and nobody hangs`() async throws {
        let ledger = try harness.open()
        ledger.record(.sample("first"))
        await ledger.flush()
        for name in harness.files where name.hasPrefix("ociai-proxy.db") {
            try FileManager.default.removeItem(atPath: harness.directory + "/" + name)
        }
        try Thing.pipe.make(at: harness.path)
        ledger.record(.sample("second"))
        await ledger.flush()
        #expect(ledger.figures.dropped == 1)
        #expect(ledger.figures.problem?.contains(Thing.pipe.words) == true)
        try FileManager.default.removeItem(atPath: harness.path)
        ledger.record(.sample("third"))
        await ledger.close(within: .seconds(600))
        #expect(try harness.look(StoredEntries.all).map(\.id) == ["third"])
    }

    @Test func `A link to a file is one`() async throws {
        try prepare()
        let other = LedgerHarness()
        try FileManager.default.createDirectory(atPath: other.directory, withIntermediateDirectories: true)
        for name in ["db", "lock"] {
            let target = other.directory + "/" + name
            try Data().write(to: URL(fileURLWithPath: target))
            try FileManager.default.createSymbolicLink(
                atPath: harness.directory + "/ociai-proxy." + name, withDestinationPath: target)
        }
        let ledger = try harness.open()
        ledger.record(.sample())
        await ledger.close(within: .seconds(600))
        #expect(try harness.look(StoredEntries.all).count == 1)
    }
}

/// Leaves a socket at a path, which nobody listens to.
private func bindSocket(_ path: String) -> Bool {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return false }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    #if canImport(Glibc)
        let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    #else
        let number = socket(AF_UNIX, SOCK_STREAM, 0)
    #endif
    defer { close(number) }
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
        }
    }
}
