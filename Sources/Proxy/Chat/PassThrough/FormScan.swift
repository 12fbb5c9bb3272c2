/// Goes through the heads of a form's parts (RFC 7578), of which only the beginning may be there, and finds those that a reader may take for the field `model`.
///
/// Readers differ in what they forgive: quotes, spaces, line ends, cases. A head that some of them would read as `model`, and others would not, is doubtful.
struct FormScan: Sendable {
    enum Part: Equatable, Sendable {
        /// The field `model`, as everybody reads it. Where its content begins.
        case model(content: Int)
        case doubtful
        case other
    }

    /// With its dashes.
    let delimiter: [UInt8]
    /// The last delimiter has come.
    private(set) var hasEnded = false

    /// Bytes of a part's head.
    private static let longestHead = 4096

    /// - Parameter contentType: of the form.
    /// - Returns: nil where it names no delimiter, or more than one.
    init?(contentType: String) {
        let lower = contentType.lowercased()
        guard let start = lower.firstRange(of: "boundary="), !lower[start.upperBound...].contains("boundary"),
            !lower.contains("boundary*"), !lower.contains("\\")
        else { return nil }
        var text = Substring(
            contentType.utf8.dropFirst(lower.utf8.distance(from: lower.startIndex, to: start.upperBound)))
        if text.hasPrefix("\"") {
            text = text.dropFirst().prefix { $0 != "\"" }
        } else {
            text = text.prefix { $0 != ";" && $0 != " " }
        }
        guard (1...70).contains(text.utf8.count) else { return nil }
        delimiter = Array("--".utf8) + Array(text.utf8)
    }

    /// The next part whose head is there.
    ///
    /// - Parameter place: where to go on; behind the part's head, or, where there is none, at what must be looked at again when more has come.
    mutating func next(in bytes: [UInt8], from place: inout Int) -> Part? {
        while let start = ByteSearch.firstIndex(of: delimiter, in: bytes, from: place) {
            let head = start + delimiter.count
            place = start
            guard bytes.count >= head + 2 else { return nil }
            switch (bytes[head], bytes[head + 1]) {
            case (UInt8(ascii: "-"), UInt8(ascii: "-")):
                hasEnded = true
                place = head
                continue
            case (0x0D, 0x0A), (0x0A, _), (0x20, _), (0x09, _): break
            // It goes on, and is another word.
            default:
                place = head
                continue
            }
            guard let end = Self.end(ofHead: head, in: bytes) else {
                guard bytes.count - head > Self.longestHead else { return nil }
                place = head
                return .doubtful
            }
            place = head
            return part(bytes[head..<end])
        }
        place = max(place, bytes.count - delimiter.count + 1)
        return nil
    }

    /// Behind the blank line.
    private static func end(ofHead start: Int, in bytes: [UInt8]) -> Int? {
        var place = start
        while place < min(bytes.count, start + longestHead) {
            defer { place += 1 }
            guard bytes[place] == 0x0A else { continue }
            if place + 1 < bytes.count, bytes[place + 1] == 0x0A { return place + 2 }
            if place + 2 < bytes.count, bytes[place + 1] == 0x0D, bytes[place + 2] == 0x0A { return place + 3 }
        }
        return nil
    }

    private func part(_ head: ArraySlice<UInt8>) -> Part {
        let text = String(decoding: head, as: UTF8.self)
        let lower = text.lowercased()
        guard lower.contains("disposition"), Self.mayName("model", in: lower) else { return .other }
        let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
        let field = lines.first { $0.lowercased().hasPrefix("content-disposition:") }
        let words = field?.split(separator: ";").map { $0.trimming() } ?? []
        // All on one line, said once, and no file.
        let isPlain =
            head.starts(with: [0x0D, 0x0A]) && head.suffix(4).elementsEqual([0x0D, 0x0A, 0x0D, 0x0A])
            && lower.matches(of: "disposition") == 1 && words.dropFirst().count == 1
            && (words.last == "name=\"model\"" || words.last == "name=model")
        return isPlain ? .model(content: head.endIndex) : .doubtful
    }

    /// Whether a parameter `name` may have that value, by whatever rules.
    private static func mayName(_ wanted: String, in head: String) -> Bool {
        for word in head.split(whereSeparator: { $0 == ";" || $0.isNewline || $0 == ":" || $0 == "," }) {
            let bare = word.filter { !$0.isWhitespace && $0 != "\"" && $0 != "'" && $0 != "\\" }
            guard bare.hasPrefix("name"), let sign = bare.firstIndex(of: "=") else { continue }
            // RFC 5987: a character set and a language may stand before the value, and anything may be in percents.
            if bare[..<sign].contains("*") || word.unicodeScalars.contains(where: { $0.value < 0x20 && $0 != "\t" }) {
                return true
            }
            let value = bare[bare.index(after: sign)...]
            // Some readers end a value at its quote, whatever follows.
            if isPlain(word) ? value == wanted : value.contains(wanted) { return true }
        }
        return false
    }

    /// Whether all read the same value out of `name=value`: quoted to its end, or a word.
    private static func isPlain(_ word: Substring) -> Bool {
        guard let sign = word.firstIndex(of: "=") else { return false }
        let value = word[word.index(after: sign)...].trimming()
        guard value.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else { return false }
        if value.first == "\"" {
            let inside = value.dropFirst()
            return inside.last == "\"" && !inside.dropLast().contains { $0 == "\"" || $0 == "\\" }
        }
        return !value.contains { $0.isWhitespace || $0 == "\"" || $0 == "'" || $0 == "\\" }
    }
}

extension Substring {
    fileprivate func trimming() -> Substring {
        var text = drop { $0.isWhitespace }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}

extension String {
    fileprivate func matches(of word: String) -> Int { ranges(of: word).count }
}

/// Looks after a form while it passes: whether another field `model` follows the one that was judged.
struct FormWatch: Sendable {
    private var scan: FormScan
    /// What has to be looked at again.
    private var kept: [UInt8]

    init(_ scan: FormScan, behind bytes: ArraySlice<UInt8>) {
        self.scan = scan
        kept = Array(bytes)
    }

    /// - Returns: whether there is one.
    mutating func finds(in piece: some Collection<UInt8>) -> Bool {
        kept.append(contentsOf: piece)
        var place = 0
        while let part = scan.next(in: kept, from: &place) {
            if part != .other { return true }
        }
        kept.removeFirst(min(place, kept.count))
        return false
    }
}
