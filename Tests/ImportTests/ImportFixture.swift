import Foundation
import TestFixtures

@testable import ProxyImport

/// Configurations of other programs, and what an import makes of them.
enum ImportFixture {
    static let litellm = Fixtures.names(in: "import", prefix: "litellm-", suffix: ".yaml")

    static func bytes(_ name: String) throws -> [UInt8] {
        try [UInt8](Data(contentsOf: Fixtures.url("import/\(name)")))
    }

    static func litellm(_ text: String) throws -> ImportResult {
        try ConfigurationImport.read(.litellm, file: Array(text.utf8))
    }

    static func gateway(_ models: String?, settings: String? = nil) throws -> ImportResult {
        try ConfigurationImport.read(
            .ociGateway, file: models.map { Array($0.utf8) }, settings: settings.map { Array($0.utf8) })
    }

    /// All fixtures, each with what is imported.
    static func all() throws -> [(name: String, result: ImportResult)] {
        try litellm.map { ($0, try ConfigurationImport.read(.litellm, file: bytes($0))) } + [
            (
                "oci-gateway-models",
                try ConfigurationImport.read(
                    .ociGateway, file: bytes("oci-gateway-models.yaml"), settings: bytes("oci-gateway-config.py"))
            ),
            (
                "oci-gateway-instance",
                try ConfigurationImport.read(
                    .ociGateway, file: bytes("oci-gateway-instance.yaml"), settings: bytes("oci-gateway-instance.env"))
            ),
        ]
    }
}

extension ImportResult {
    /// The lines of a section, without comments and empty ones.
    func section(_ title: String) -> [String] {
        var lines: [String] = []
        var isInside = title.isEmpty
        for line in (configuration ?? "").split(separator: "\n") {
            if line.hasPrefix("[") {
                isInside = line == "[\(title)]"
            } else if isInside, !line.hasPrefix("#") {
                lines.append(String(line))
            }
        }
        return lines
    }

    /// What has become of a key, by its path.
    func fates(_ path: String) -> [KeyFate] { report.rows.filter { $0.path == path }.map(\.fate) }

    func text(_ path: String) -> String { report.rows.filter { $0.path == path }.map(\.text).joined(separator: "; ") }
}
