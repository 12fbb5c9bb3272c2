import Synchronization

/// What OCI says in its answers about models that will go (`model-retirement-info`), by the models' ids.
///
/// The header's form is not documented: any date in it counts, else its words are shown.
final class ModelRetirements: Sendable {
    struct Notice: Equatable, Sendable {
        /// Seconds since 1970; nil where the words have no date.
        var at: Int64?
        var words: String
    }

    /// Ids come from clients in part.
    private static let most = 1000
    private static let longest = 300

    private let notices = Mutex<[String: Notice]>([:])

    subscript(model: String) -> Notice? { notices.withLock { $0[model] } }

    /// - Parameter words: of the header.
    func note(_ words: String, of model: String) {
        notices.withLock { notices in
            guard notices[model]?.words != words, notices.count < Self.most || notices[model] != nil else { return }
            // It is shown at terminals, too.
            let text = String(
                words.unicodeScalars.prefix(Self.longest).map {
                    $0.properties.generalCategory == .control ? "?" : Character($0)
                })
            notices[model] = Notice(at: Self.date(in: text), words: text)
        }
    }

    /// The first ISO date in a text: `2027-01-31`, alone or with a time behind it.
    static func date(in text: String) -> Int64? {
        let bytes = Array(text.utf8)
        for start in bytes.indices where start + 10 <= bytes.count {
            if start > 0, bytes[start - 1].isDigit { continue }
            let day = bytes[start..<start + 10]
            guard day[start + 4] == UInt8(ascii: "-"), day[start + 7] == UInt8(ascii: "-") else { continue }
            let rest = bytes[(start + 10)...]
            if rest.first == UInt8(ascii: "T") || rest.first == UInt8(ascii: "t") {
                let end = rest.firstIndex { !($0.isDigit || "Tt:.Zz+-".utf8.contains($0)) } ?? rest.endIndex
                let moment = String(decoding: bytes[start..<end], as: UTF8.self)
                if let seconds = RFC3339.seconds(moment) { return Int64(seconds) }
            }
            if rest.first?.isDigit == true { continue }
            if let seconds = RFC3339.seconds(String(decoding: day, as: UTF8.self) + "T00:00:00Z") {
                return Int64(seconds)
            }
        }
        return nil
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (0x30...0x39).contains(self) }
}
