import Foundation
import Testing

@testable import Proxy

@Suite struct ConfigurationFileTests {
    @Test(
        arguments: [
            (nil, false, [], "config.conf"), (nil, true, [], "multi_config.conf"),
            (nil, false, ["config.conf", "config.json"], "config.conf"), (nil, false, ["config.json"], "config.json"),
            (nil, true, ["config.json", "config.conf"], "config.json"), ("x.conf", true, ["config.json"], "x.conf"),
        ] as [(String?, Bool, [String], String)])
    func `Chooses the file`(config: String?, multiAccount: Bool, present: [String], chosen: String) {
        #expect(
            ConfigurationFile.choose(config: config, multiAccount: multiAccount, exists: present.contains) == chosen)
    }

    @Test func `Each way not to be read has its sentence`() throws {
        let directory = try TemporaryDirectory()
        func errors(_ file: String) -> [ConfigurationIssue] {
            ConfigurationLoader.load(file: file, environment: [:], workingDirectory: directory.path).errors
        }
        #expect(errors("absent.conf").map(\.message) == ["no such file"])
        #expect(errors("absent.conf").first?.fix.contains("config.conf.example") == true)
        #expect(errors("absent.conf").first?.location == "absent.conf")
        #expect(errors(".").map(\.message) == ["this is a directory, not a file"])
        #expect(errors("/dev/zero").map(\.message) == ["this is a device, not a regular file"])
        let locked = try directory.write("", to: "locked.conf")
        chmod(locked, 0)
        if geteuid() != 0 {
            #expect(errors("locked.conf").map(\.message) == ["the file cannot be read: permission denied"])
        }
    }

    @Test func `Loads from disk with the key file beside the configuration`() throws {
        let directory = try TemporaryDirectory()
        _ = try directory.write("pem", to: "key.pem")
        chmod(
            try directory.write(ConfigurationFixture.identity() + "api_key = 0123456789abcdef\n", to: "config.conf"),
            0o600)
        for (file, workingDirectory) in [("config.conf", directory.path), ("\(directory.path)/config.conf", "/")] {
            let outcome = ConfigurationLoader.load(file: file, environment: [:], workingDirectory: workingDirectory)
            #expect(outcome.issues.isEmpty)
            let settings = try #require(outcome.settings)
            #expect(ConfigurationFixture.identity(of: settings)?.keyFile == "\(directory.path)/key.pem")
        }
    }
}

@Suite struct KeyFileLookupTests {
    static func lookup(_ present: Set<String>, home: String? = "/home/me") -> KeyFileLookup {
        KeyFileLookup(
            configurationDirectory: "/etc/proxy", workingDirectory: "/srv/proxy", home: home,
            fileExists: { present.contains($0) })
    }

    @Test(arguments: [
        ("k.pem", ["/etc/proxy/k.pem", "/srv/proxy/k.pem"], "/etc/proxy/k.pem"),
        ("k.pem", ["/srv/proxy/k.pem"], "/srv/proxy/k.pem"),
        ("./k.pem", ["/srv/proxy/k.pem"], "/srv/proxy/k.pem"),
        ("/x/k.pem", ["/x/k.pem", "/etc/proxy/x/k.pem"], "/x/k.pem"),
        ("~/k.pem", ["/home/me/k.pem"], "/home/me/k.pem"), ("../k.pem", ["/etc/proxy/../k.pem"], "/etc/proxy/../k.pem"),
    ])
    func `Finds the file`(path: String, present: [String], found: String) throws {
        #expect(try Self.lookup(Set(present)).find(path) == found)
    }

    @Test func `Says what it missed`() {
        #expect(throws: KeyFileLookup.Failure.missing(["/etc/proxy/k", "/srv/proxy/k"])) {
            try Self.lookup([]).find("k")
        }
        #expect(throws: KeyFileLookup.Failure.noHome) { try Self.lookup([], home: nil).find("~/k") }
    }
}

@Suite struct FileReplacementTests {
    static func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    @Test(arguments: [0o600, 0o640, 0o664, 0o755] as [mode_t])
    func `Keeps the mode and leaves nothing beside`(mode: mode_t) throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("old", to: "c.conf")
        chmod(file, mode)
        try FileReplacement.replace(file, with: Array("new".utf8))
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "new")
        #expect(try Self.mode(file) == Int(mode))
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["c.conf"])
    }

    @Test func `What a killed process has left is removed and nothing else`() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("old", to: "c.conf")
        let kept = [
            "c.conf", "c.conf.backup", "c.conf.XXXXXX", ".c.conf.ociai-proxy-new.abcde",
            ".d.conf.ociai-proxy-new.abcdef",
        ]
        for name in kept.dropFirst() + [".c.conf.ociai-proxy-new.abcdef", ".c.conf.ociai-proxy-new.ABCDEF"] {
            _ = try directory.write("key", to: name)
        }
        // This one is being written.
        let written = try directory.write("key", to: ".c.conf.ociai-proxy-new.123456")
        let descriptor = open(written, O_RDWR)
        try #require(flock(descriptor, LOCK_EX) == 0)
        #expect(FileReplacement.removeLeftovers(of: file) == 2)
        close(descriptor)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
                == (kept + [".c.conf.ociai-proxy-new.123456"]).sorted())
        #expect(FileReplacement.removeLeftovers(of: file) == 1)
    }

    /// More than the kernel tells in one piece, names of every length among them.
    @Test func `A folder with many files is looked through to its end`() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("old", to: "c.conf")
        for number in 0..<600 {
            _ = try directory.write("", to: "\(number)" + String(repeating: "x", count: number % 250))
        }
        _ = try directory.write("key", to: ".c.conf.ociai-proxy-new.abcdef")
        #expect(FileReplacement.removeLeftovers(of: file) == 1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).count == 601)
    }

    @Test(
        arguments: [
            (0o600, nil), (0o640, "read"), (0o644, "read"), (0o604, "read"), (0o620, "write"), (0o602, "write"),
            (0o700, nil),
        ] as [(mode_t, String?)])
    func `A file with keys that others may use is warned about`(mode: mode_t, what: String?) throws {
        let directory = try TemporaryDirectory()
        _ = try directory.write("pem", to: "key.pem")
        let file = try directory.write(ConfigurationFixture.identity() + "api_key = 0123456789abcdef\n", to: "c.conf")
        chmod(file, mode)
        let warnings = ConfigurationLoader.load(file: file, environment: [:], workingDirectory: "/").warnings.map(
            \.message)
        #expect(
            warnings == (what.map { ["the file contains keys, and other users of this machine can \($0) it"] } ?? []))
        // Root's file, which a service's group may read.
        if geteuid() == 0, mode == 0o640 {
            try #require(chown(file, 0, 12345) == 0)
            #expect(ConfigurationLoader.load(file: file, environment: [:], workingDirectory: "/").warnings.isEmpty)
        }
    }

    @Test func `Short client keys are for loopback only`() throws {
        let directory = try TemporaryDirectory()
        _ = try directory.write("pem", to: "key.pem")
        let file = try directory.write(ConfigurationFixture.identity() + "api_key = 0123456789abcde\n", to: "c.conf")
        chmod(file, 0o600)
        for (host, isLoopback) in [
            ("127.0.0.1", true), ("localhost", true), ("::1", true), ("0.0.0.0", false), ("::", false),
            ("127.example.com", false), ("10.0.0.1", false),
        ] {
            let outcome = ConfigurationLoader.load(
                file: file, overrides: .init(host: host), environment: [:], workingDirectory: "/")
            #expect((outcome.settings != nil) == isLoopback)
            #expect(
                (isLoopback ? outcome.warnings : outcome.errors).map(\.message).allSatisfy {
                    $0.hasPrefix("the client key default is shorter than 16 characters")
                })
            #expect(outcome.issues.count == 1)
        }
    }

    @Test func `A symbolic link stays and its target changes`() throws {
        let directory = try TemporaryDirectory()
        let target = try directory.write("old", to: "target.conf")
        let link = "\(directory.path)/link.conf"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "target.conf")
        try FileReplacement.replace(link, with: Array("new".utf8))
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "target.conf")
        #expect(try String(contentsOfFile: target, encoding: .utf8) == "new")
    }

    @Test func `What cannot be written is said`() throws {
        let directory = try TemporaryDirectory()
        #expect(throws: FileReplacement.Failure.self) {
            try FileReplacement.replace("\(directory.path)/absent", with: [])
        }
        let failure = #expect(throws: FileReplacement.Failure.self) {
            try FileReplacement.replace(directory.path, with: [])
        }
        #expect(failure?.description.hasSuffix("it is not a regular file") == true)
        // Not even root may make files in /proc.
        #expect(throws: FileReplacement.Failure.self) { try FileReplacement.replace("/proc/version", with: []) }
    }

    @Test(.enabled(if: geteuid() != 0, "root may write anywhere"))
    func `A read only directory or file is left alone`() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("old", to: "c.conf")
        chmod(file, 0o444)
        #expect(throws: FileReplacement.Failure.self) { try FileReplacement.replace(file, with: Array("new".utf8)) }
        chmod(file, 0o644)
        chmod(directory.path, 0o555)
        #expect(throws: FileReplacement.Failure.self) { try FileReplacement.replace(file, with: Array("new".utf8)) }
        chmod(directory.path, 0o755)
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "old")
    }

    @Test func `The generated key is stored and read back`() throws {
        let directory = try TemporaryDirectory()
        _ = try directory.write("pem", to: "key.pem")
        let text = ConfigurationFixture.identity() + "api_key = auto_generated_key # here\n"
        let file = try directory.write(text, to: "c.conf")
        chmod(file, 0o600)
        let (key, failure) = ConfigurationLoader.storeGeneratedKey(file: "c.conf", workingDirectory: directory.path)
        #expect(failure == nil)
        #expect(try Self.mode(file) == 0o600)
        #expect(
            try String(contentsOfFile: file, encoding: .utf8)
                == text.replacing("auto_generated_key", with: key.reveal()))
        let settings = ConfigurationLoader.load(file: file, environment: [:], workingDirectory: "/").settings
        #expect(settings?.clientKeys.map(\.value) == [key])
        #expect(settings?.needsGeneratedKey == false)
    }

    @Test func `A key that cannot be stored is still returned`() {
        let (key, failure) = ConfigurationLoader.storeGeneratedKey(file: "/proc/version", workingDirectory: "/")
        #expect(key.reveal().count == 32)
        #expect(failure?.hasPrefix("/proc/version cannot be written: ") == true)
        #expect(failure?.contains(key.reveal()) == false)
    }
}
