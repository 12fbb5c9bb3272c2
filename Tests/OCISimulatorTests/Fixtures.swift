import Foundation
import Testing

@testable import OCISimulator

/// The files of `Fixtures/`.
enum Fixtures {
    static func url(_ path: String) throws -> URL {
        try #require(Bundle.module.resourceURL).appending(path: "Fixtures/" + path)
    }

    static func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: url(path))) }

    static func text(_ path: String) throws -> String { String(decoding: try bytes(path), as: UTF8.self) }

    static func json(_ path: String) throws -> JSON { try JSONParser.parse(bytes(path)) }

    /// Names of the JSON files of a directory.
    static func names(in directory: String, prefix: String) -> [String] {
        let found = try? FileManager.default.contentsOfDirectory(atPath: url(directory).path())
        return (found ?? []).filter { $0.hasPrefix(prefix) && $0.hasSuffix(".json") }.sorted()
    }
}
