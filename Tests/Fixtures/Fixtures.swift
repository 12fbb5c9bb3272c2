package import Foundation

/// Files that more than one test target reads: requests of real clients, OCI's wire, certificates, tool schemas.
package enum Fixtures {
    /// A file, or a folder of files: `oci/chat/req_cohere_plain.json`.
    package static func url(_ path: String) -> URL {
        (Bundle.module.resourceURL ?? URL(filePath: ".")).appending(path: path)
    }

    /// Names of the files in a folder, in order.
    package static func names(in folder: String, prefix: String = "", suffix: String = ".json") -> [String] {
        let found = try? FileManager.default.contentsOfDirectory(atPath: url(folder).path())
        return (found ?? []).filter { $0.hasPrefix(prefix) && $0.hasSuffix(suffix) }.sorted()
    }
}
