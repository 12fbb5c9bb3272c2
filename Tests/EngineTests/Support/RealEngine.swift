import Foundation
import Glibc
import NIOCore
import NIOPosix
import ProxyCluster
import ProxyEngine
import TestFixtures

/// A `redis-server` of a test's own, in a directory that goes with it, and writing nothing down. It listens on a Unix socket, and on ports of
/// loopback that a test asks for.
final class RealEngine {
    struct Failed: Error { var text: String }

    static let program: String? = ["/usr/bin/redis-server", "/usr/local/bin/redis-server", "/usr/bin/valkey-server"]
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    /// It was built with TLS: else it does not know this option.
    static let hasTLS: Bool = {
        guard let program else { return false }
        let said = try? Run(program, ["--port", "0", "--tls-port", "0", "--tls-auth-clients", "no"])
        return said?.waits(for: "not listen anywhere") == true
    }()

    let path: String
    private let directory: URL
    private let run: Run

    init(_ options: [String] = []) throws {
        guard let program = Self.program else { throw Failed(text: "no redis-server") }
        directory = FileManager.default.temporaryDirectory.appendingPathComponent(
            "ociai-\(UInt32.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        path = directory.appendingPathComponent("s").path
        var arguments = ["--unixsocket", path, "--save", "", "--appendonly", "no", "--dir", directory.path]
        if !options.contains("--port") { arguments += ["--port", "0"] }
        run = try Run(program, arguments + options)
        guard run.waits(for: "eady to accept connections") else {
            throw Failed(text: "it does not start: \(run.said)")
        }
    }

    deinit {
        run.end()
        try? FileManager.default.removeItem(at: directory)
    }

    func client(
        at place: RedisEngine.Place? = nil, trusting authorities: String? = nil, user: String = "",
        password: String? = nil, database: Int = 0
    ) -> RedisEngine {
        RedisEngine(
            at: place ?? .unix(path), trusting: authorities,
            as: .init(user: user, password: password, database: database, name: "here"), patience: .seconds(30))
    }

    /// With a free port of loopback for each of so many; another try where somebody else has been quicker.
    static func withPorts(_ count: Int, _ options: ([Int]) -> [String]) async throws
        -> (engine: RealEngine, ports: [Int])
    {
        for _ in 0..<9 {
            let ports = try await freePorts(count)
            if let engine = try? RealEngine(options(ports)) { return (engine, ports) }
        }
        let ports = try await freePorts(count)
        return (try RealEngine(options(ports)), ports)
    }

    private static func freePorts(_ count: Int) async throws -> [Int] {
        var channels: [any Channel] = []
        for _ in 0..<count {
            channels.append(
                try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .bind(host: "127.0.0.1", port: 0).get())
        }
        let ports = channels.compactMap { $0.localAddress?.port }
        for channel in channels { try await channel.close() }
        return ports
    }

    /// A process, and what it says.
    private final class Run {
        private let process = Process()
        private let output = Pipe()
        private(set) var said = ""

        init(_ program: String, _ arguments: [String]) throws {
            process.executableURL = URL(fileURLWithPath: program)
            process.arguments = arguments
            process.standardOutput = output
            process.standardError = FileHandle.nullDevice
            try process.run()
        }

        /// - Returns: false when it has ended without a word of that.
        func waits(for words: String) -> Bool {
            while !said.contains(words) {
                let more = output.fileHandleForReading.availableData
                if more.isEmpty { return said.contains(words) }
                said += String(decoding: more, as: UTF8.self)
            }
            return true
        }

        /// The kind signal may be blocked in what a test starts.
        func end() { kill(process.processIdentifier, SIGKILL) }

        deinit { end() }
    }
}
