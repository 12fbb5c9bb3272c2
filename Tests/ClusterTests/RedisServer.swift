import Foundation
import Glibc
import ProxyCluster
import ProxyEngine

/// A `redis-server` of a test's own: on a Unix socket, in a directory that goes with it, and writing nothing down.
final class RedisServer {
    struct Failed: Error { var text: String }

    static let program: String? = ["/usr/bin/redis-server", "/usr/local/bin/redis-server", "/usr/bin/valkey-server"]
        .first {
            FileManager.default.isExecutableFile(atPath: $0)
        }

    private let directory: URL
    private let process = Process()
    private let descriptor: Int32
    private var reader = RESPReader()
    private var waiting: [RESP] = []

    init() throws {
        guard let program = Self.program else { throw Failed(text: "no redis-server") }
        directory = FileManager.default.temporaryDirectory.appendingPathComponent(
            "ociai-\(UInt32.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let socketPath = directory.appendingPathComponent("s").path
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = [
            "--port", "0", "--unixsocket", socketPath, "--save", "", "--appendonly", "no", "--dir", directory.path,
        ]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        var found: Int32 = -1
        for _ in 0..<500 where found < 0 {
            found = Self.connect(to: socketPath)
            if found < 0 { usleep(10_000) }
        }
        guard found >= 0 else {
            kill(process.processIdentifier, SIGKILL)
            throw Failed(text: "cannot connect")
        }
        descriptor = found
    }

    deinit {
        close(descriptor)
        // The kind signal may be blocked in what a test starts.
        kill(process.processIdentifier, SIGKILL)
        try? FileManager.default.removeItem(at: directory)
    }

    func call(_ parts: [[UInt8]]) throws -> RESP {
        var rest = RESPCommand(parts).bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw Failed(text: "cannot write") }
            rest = rest.dropFirst(count)
        }
        while waiting.isEmpty {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { throw Failed(text: "cannot read") }
            waiting += try reader.feed(buffer[..<count])
        }
        return waiting.removeFirst()
    }

    func call(_ parts: String...) throws -> RESP { try call(parts.map { Array($0.utf8) }) }

    private static func connect(to path: String) -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8.prefix($0.count - 1))) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if result == 0 { return descriptor }
        close(descriptor)
        return -1
    }
}
