import Foundation
import Testing

/// What the program does to its process before it serves, as the kernel tells it.
@Suite struct ProcessEffectsTests {
    /// Soft and hard limit of the program.
    private func limit(_ name: String, of proxy: RunningProxy) throws -> (soft: Substring, hard: Substring) {
        let limits = try String(contentsOfFile: "/proc/\(proxy.pid)/limits", encoding: .utf8)
        let line = try #require(limits.split(separator: "\n").first { $0.hasPrefix(name) }, "\(limits)")
        let values = line.dropFirst(name.count).split(separator: " ")
        return (try #require(values.first), try #require(values.dropFirst().first))
    }

    @Test func `The limit of open files is raised and no core is written`() async throws {
        func start(_ config: URL) throws -> Program {
            try Program("ociai-proxy", ["-config", config.path], prelude: "ulimit -Sn 300")
        }
        try await RunningProxy.run(start: start) { proxy in
            let files = try limit("Max open files", of: proxy)
            #expect(files.soft == files.hard || files.soft == "1048576")
            #expect(files.soft != "300")
            let core = try limit("Max core file size", of: proxy)
            #expect(core.soft == "0" && core.hard == "0")
        }
    }

    /// Its process is its owner's: it is taken as it is.
    @Test func `A program that embeds the proxy keeps its limits`() async throws {
        func start(_ config: URL) throws -> Program {
            try Program("embedded-proxy", [config.path, "grok-4", "Hello."], prelude: "ulimit -Sn 300")
        }
        try await RunningProxy.run(start: start) { proxy in
            #expect(await proxy.exitCode() == 0, "\(proxy.log)")
            #expect(proxy.log.contains("limit of open files is 300"), "\(proxy.log)")
        }
    }
}
