import Foundation
import Testing

@testable import OCISimulator

@Suite struct ConfigurationFilesTests {
    private func withDirectory(_ body: (String) throws -> Void) throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try body(directory)
    }

    private func read(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    @Test func `Keys are made once and only their owner reads them`() throws {
        try withDirectory { directory in
            let files = ConfigurationFiles(directory: directory)
            let first = try files.accounts(2, regions: ["us-chicago-1", "eu-frankfurt-1"])
            #expect(first.map(\.region) == ["us-chicago-1", "eu-frankfurt-1"])
            #expect(first[0].fingerprint != first[1].fingerprint)
            for number in 1...2 {
                let attributes = try FileManager.default.attributesOfItem(
                    atPath: "\(directory)/account_\(number).pem")
                #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
            }
            let second = try files.accounts(2, regions: ["us-chicago-1"])
            #expect(second.map(\.fingerprint) == first.map(\.fingerprint))
        }
    }

    @Test func `Configurations name every account and keep the client key`() throws {
        try withDirectory { directory in
            let files = ConfigurationFiles(directory: directory)
            let accounts = try files.accounts(2, regions: ["us-chicago-1"])
            let paths = try files.write(accounts) { "http://127.0.0.1:1/\($0.id)" }
            #expect(paths == ["\(directory)/config.conf", "\(directory)/multi_config.conf"])
            let single = try read(paths[0])
            #expect(single.contains("api_key = auto_generated_key\n"))
            #expect(single.contains("fingerprint = \(accounts[0].fingerprint)\n"))
            #expect(single.contains("endpoint = http://127.0.0.1:1/account_1\n"))
            #expect(single.contains("\n[MODELS]\n") && !single.contains("ACCOUNT"))
            let multi = try read(paths[1])
            for (index, account) in accounts.enumerated() {
                #expect(multi.contains("[ACCOUNT_\(index + 1)]\nid = \(account.id)\nuser = \(account.user)\n"))
            }
            try single.replacing("auto_generated_key", with: "0123456789abcdef").write(
                toFile: paths[0], atomically: true, encoding: .utf8)
            _ = try files.write(accounts) { _ in "http://127.0.0.1:2" }
            #expect(try read(paths[0]).contains("api_key = 0123456789abcdef\n"))
            #expect(try read(paths[0]).contains("endpoint = http://127.0.0.1:2\n"))
        }
    }

    @Test func `An account with an API key is written as bearer`() throws {
        try withDirectory { directory in
            let files = ConfigurationFiles(directory: directory)
            var accounts = try files.accounts(2, regions: ["us-chicago-1"])
            accounts[1] = try accounts[1].withOwnAPIKey()
            let key = try #require(accounts[1].apiKeys.first)
            let multi = try read(try files.write(accounts) { _ in "http://127.0.0.1:1" }[1])
            #expect(multi.contains("[ACCOUNT_1]\nid = account_1\nuser = \(accounts[0].user)\n"))
            let compartment = try #require(accounts[1].compartment)
            #expect(
                multi.contains(
                    """
                    [ACCOUNT_2]
                    id = account_2
                    auth = bearer
                    bearer_key = \(key)
                    region = us-chicago-1
                    compartment = \(compartment)
                    endpoint = http://127.0.0.1:1

                    [MODELS]
                    """))
            // Made of the key file, so that a proxy need not be configured anew.
            #expect(try files.accounts(2, regions: ["us-chicago-1"])[1].withOwnAPIKey().apiKeys == [key])
            #expect(try accounts[0].withOwnAPIKey().apiKeys != [key])
        }
    }

    @Test func `Broken key file is named`() throws {
        try withDirectory { directory in
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            try "no key".write(toFile: directory + "/account_1.pem", atomically: true, encoding: .utf8)
            let error = #expect(throws: KeyError.self) {
                try ConfigurationFiles(directory: directory).accounts(1, regions: ["us-chicago-1"])
            }
            #expect(error?.description.contains("account_1.pem") == true)
        }
    }
}
