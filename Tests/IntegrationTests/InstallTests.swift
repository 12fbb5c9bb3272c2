import Foundation
import Testing

/// `scripts/install` and `scripts/uninstall` below a directory, and the files that they put there.
@Suite struct InstallTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private static let binary =
        Bundle.main.executableURL?.deletingLastPathComponent().appending(path: "ociai-proxy").path ?? ""

    private func script(_ name: String, _ arguments: [String], stage: URL, path: String? = nil) async throws -> (
        code: Int32, output: String
    ) {
        var environment = ["DESTDIR": stage.path]
        if let path { environment["PATH"] = path }
        let program = try Program("/bin/bash", ["scripts/\(name)"] + arguments, in: Self.root, environment: environment)
        return (await program.exitCode(), program.output)
    }

    private func mode(_ file: URL) throws -> Int {
        try #require(try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int)
    }

    @Test func `What is installed can be run kept and removed`() async throws {
        let stage = try TemporaryDirectory.make()
        defer { try? FileManager.default.removeItem(at: stage) }
        let first = try await script("install", ["--binary", Self.binary], stage: stage)
        #expect(first.code == 0, "\(first.output)")
        let config = stage.appending(path: "etc/ociai-proxy/config.conf")
        // Root's own; the service reads it by its group.
        #expect(try mode(config) == 0o640)
        #expect(try mode(stage.appending(path: "usr/local/bin/ociai-proxy")) == 0o755)
        let text = try String(contentsOf: config, encoding: .utf8)
        #expect(
            text.firstMatch(of: /(?m)^api_key = [0-9a-f]{32}$/) != nil && !text.contains("api_key = auto_generated_key")
        )
        let unit = try String(
            contentsOf: stage.appending(path: "etc/systemd/system/ociai-proxy.service"), encoding: .utf8)
        #expect(unit.contains("ExecStart=/usr/local/bin/ociai-proxy -config /etc/ociai-proxy/config.conf"))
        #expect(
            FileManager.default.fileExists(atPath: stage.appending(path: "etc/systemd/system/ociai-proxy.socket").path))

        // An upgrade keeps what the operator has written.
        try (text + "\n# mine\n").write(to: config, atomically: true, encoding: .utf8)
        let second = try await script("install", ["--binary", Self.binary], stage: stage)
        #expect(second.code == 0 && second.output.contains("Kept"), "\(second.output)")
        #expect(try String(contentsOf: config, encoding: .utf8).hasSuffix("# mine\n"))

        let removed = try await script("uninstall", [], stage: stage)
        #expect(removed.code == 0, "\(removed.output)")
        for gone in [
            "usr/local/bin/ociai-proxy", "etc/systemd/system/ociai-proxy.service",
            "etc/systemd/system/ociai-proxy.socket",
        ] {
            #expect(!FileManager.default.fileExists(atPath: stage.appending(path: gone).path), "\(gone)")
        }
        #expect(FileManager.default.fileExists(atPath: config.path))
        #expect(try await script("uninstall", ["--purge"], stage: stage).code == 0)
        #expect(!FileManager.default.fileExists(atPath: config.path))
    }

    /// A container has no systemctl, and a script in the place of the binary is nothing that ldd can read.
    @Test func `A machine without systemd is installed to as well`() async throws {
        let stage = try TemporaryDirectory.make()
        defer { try? FileManager.default.removeItem(at: stage) }
        let tools = stage.appending(path: "tools")
        try FileManager.default.createDirectory(at: tools, withIntermediateDirectories: true)
        for tool in [
            "install", "mv", "sed", "mktemp", "rm", "dirname", "od", "tr", "awk", "cp", "cat", "chmod", "realpath",
            "bash", "env",
        ] {
            let place = ["/usr/bin/\(tool)", "/bin/\(tool)"].first { FileManager.default.fileExists(atPath: $0) }
            try FileManager.default.createSymbolicLink(
                atPath: tools.appending(path: tool).path, withDestinationPath: try #require(place, "\(tool)"))
        }
        let wrapper = stage.appending(path: "wrapper")
        try "#!/bin/bash\nexec \(Self.binary) \"$@\"\n".write(to: wrapper, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: wrapper.path)
        let result = try await script(
            "install", ["--binary", wrapper.path, "--prefix", "/"], stage: stage, path: tools.path)
        #expect(result.code == 0 && result.output.contains("systemd unknown"), "\(result.output)")
        #expect(FileManager.default.fileExists(atPath: stage.appending(path: "bin/ociai-proxy").path))
        #expect(FileManager.default.fileExists(atPath: stage.appending(path: "etc/ociai-proxy/config.conf").path))
    }

    @Test(.enabled("needs systemd-analyze") { FileManager.default.fileExists(atPath: "/usr/bin/systemd-analyze") })
    func `The unit is hardened`() async throws {
        let analyze = try Program(
            "/usr/bin/systemd-analyze",
            ["security", "--offline=true", "--threshold=20", "--no-pager", "configs/ociai-proxy.service"], in: Self.root
        )
        #expect(await analyze.exitCode() == 0, "\(analyze.output.suffix(300))")
    }

    @Test(.enabled("needs promtool") { FileManager.default.fileExists(atPath: "/usr/bin/promtool") })
    func `The alerts go off when they should`() async throws {
        let promtool = try Program(
            "/usr/bin/promtool", ["test", "rules", "configs/prometheus/ociai-proxy.rules.test.yml"], in: Self.root)
        #expect(await promtool.exitCode() == 0, "\(promtool.output)")
    }
}
