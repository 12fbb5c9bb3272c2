import FoundationEssentials

/// The system's time zone database (the package `tzdata`). It is read at the start only.
enum ZoneDatabase {
    private static let folders = [
        "/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo",
    ]

    /// The rules of a zone; nil when there is none of that name. `UTC` needs no database.
    static func rules(of name: String) -> ZoneRules? {
        if name == "UTC" { return .utc }
        guard isName(name) else { return nil }
        for folder in folders {
            guard let bytes = FileManager.default.contents(atPath: folder + "/" + name) else { continue }
            if let rules = ZoneRules(tzif: [UInt8](bytes)) { return rules }
        }
        return nil
    }

    /// It names a file below the database's folder, and none elsewhere.
    static func isName(_ name: String) -> Bool {
        guard !name.isEmpty, name.utf8.count <= 64 else { return false }
        return name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
            guard let first = part.first, first.isASCII, first.isLetter else { return false }
            return part.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_+-".contains($0)) }
        }
    }
}
