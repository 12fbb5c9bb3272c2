/// What begins at a place in the bytes of a request: a line, if all of it is there.
enum LineReading<Content> {
    /// - Parameter next: where the next line begins.
    case found(Content, next: Int)
    /// It goes on in bytes that are not there yet.
    case unfinished
    /// However it goes on, it is none.
    case malformed

    func map<Other>(_ change: (Content) -> Other) -> LineReading<Other> {
        switch self {
        case .found(let content, let next): .found(change(content), next: next)
        case .unfinished: .unfinished
        case .malformed: .malformed
        }
    }
}

/// The lines of requests, each read in one pass, and only as far as it is right.
extension Span<UInt8> {
    /// CR LF and nothing else: a line feed alone ends a line for some, and not for others.
    func lineEnd(at place: Int) -> LineReading<Void> {
        guard let first = byte(at: place) else { return .unfinished }
        guard first == UInt8(ascii: "\r") else { return .malformed }
        guard let second = byte(at: place + 1) else { return .unfinished }
        return second == UInt8(ascii: "\n") ? .found((), next: place + 2) : .malformed
    }

    /// `POST /v1/chat/completions HTTP/1.1`, with one blank between two words.
    func requestLine(at start: Int) -> LineReading<(method: Range<Int>, target: Range<Int>, isHTTP11: Bool)> {
        let method = start..<endOfToken(from: start)
        guard let first = byte(at: method.upperBound) else { return .unfinished }
        guard !method.isEmpty, first == UInt8(ascii: " ") else { return .malformed }
        var place = method.upperBound + 1
        while let byte = byte(at: place), byte.isTargetCharacter { place += 1 }
        let target = method.upperBound + 1..<place
        guard let second = byte(at: place) else { return .unfinished }
        guard !target.isEmpty, second == UInt8(ascii: " ") else { return .malformed }
        place += 1
        for expected in ("HTTP/1." as StaticString).utf8 {
            guard let byte = byte(at: place) else { return .unfinished }
            guard byte == expected else { return .malformed }
            place += 1
        }
        guard let minor = byte(at: place) else { return .unfinished }
        guard minor == UInt8(ascii: "0") || minor == UInt8(ascii: "1") else { return .malformed }
        return lineEnd(at: place + 1).map { _ in (method, target, minor == UInt8(ascii: "1")) }
    }

    /// A path, `*`, or the whole URL, which is what clients of forward proxies send (RFC 9112, 3.2).
    func isTarget(_ range: Range<Int>) -> Bool {
        if stands("/", at: range.lowerBound) { return true }
        if range.count == 1 { return stands("*", at: range.lowerBound) }
        var end = range.lowerBound
        while end < range.upperBound, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self[end] | 0x20) { end += 1 }
        return end > range.lowerBound && end + 3 <= range.upperBound && stands("://", at: end)
    }

    /// `name: value`; the value is without the blanks before it, and with those behind it.
    func field(at start: Int) -> LineReading<(name: Range<Int>, value: Range<Int>)> {
        let name = start..<endOfToken(from: start)
        guard let colon = byte(at: name.upperBound) else { return .unfinished }
        guard !name.isEmpty, colon == UInt8(ascii: ":") else { return .malformed }
        let begin = endOfBlanks(from: name.upperBound + 1)
        let value = begin..<endOfText(from: begin)
        return lineEnd(at: value.upperBound).map { _ in (name, value) }
    }
}
