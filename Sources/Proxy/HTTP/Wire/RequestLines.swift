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
extension UnsafeRawBufferPointer {
    /// CR LF and nothing else: a line feed alone ends a line for some, and not for others.
    func lineEnd(at place: Int) -> LineReading<Void> {
        guard place < count else { return .unfinished }
        guard self[place] == UInt8(ascii: "\r") else { return .malformed }
        guard place + 1 < count else { return .unfinished }
        return self[place + 1] == UInt8(ascii: "\n") ? .found((), next: place + 2) : .malformed
    }

    /// `POST /v1/chat/completions HTTP/1.1`, with one blank between two words.
    func requestLine(at start: Int) -> LineReading<(method: Range<Int>, target: Range<Int>, isHTTP11: Bool)> {
        var place = start
        while place < count, self[place].isTokenCharacter { place += 1 }
        guard place < count else { return .unfinished }
        guard place > start, self[place] == UInt8(ascii: " ") else { return .malformed }
        let method = start..<place
        place += 1
        while place < count, self[place].isTargetCharacter { place += 1 }
        guard place < count else { return .unfinished }
        let target = method.upperBound + 1..<place
        guard !target.isEmpty, self[place] == UInt8(ascii: " ") else { return .malformed }
        place += 1
        let version = "HTTP/1." as StaticString
        for index in 0..<version.utf8CodeUnitCount {
            guard place < count else { return .unfinished }
            guard self[place] == version.utf8Start[index] else { return .malformed }
            place += 1
        }
        guard place < count else { return .unfinished }
        let minor = self[place]
        guard minor == UInt8(ascii: "0") || minor == UInt8(ascii: "1") else { return .malformed }
        return lineEnd(at: place + 1).map { _ in (method, target, minor == UInt8(ascii: "1")) }
    }

    /// A path, `*`, or the whole URL, which is what clients of forward proxies send (RFC 9112, 3.2).
    func isTarget(_ range: Range<Int>) -> Bool {
        if stands("/", at: range.lowerBound) { return true }
        if range.count == 1 { return stands("*", at: range.lowerBound) }
        let scheme = self[range].prefix { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20) }
        return !scheme.isEmpty && scheme.endIndex + 3 <= range.upperBound && stands("://", at: scheme.endIndex)
    }

    /// `name: value`; the value is without the blanks before it, and with those behind it.
    func field(at start: Int) -> LineReading<(name: Range<Int>, value: Range<Int>)> {
        var place = start
        while place < count, self[place].isTokenCharacter { place += 1 }
        guard place < count else { return .unfinished }
        guard place > start, self[place] == UInt8(ascii: ":") else { return .malformed }
        let name = start..<place
        place += 1
        while place < count, self[place].isBlank { place += 1 }
        let value = place..<endOfText(from: place)
        return lineEnd(at: value.upperBound).map { _ in (name, value) }
    }

    /// Hexadecimal digits, at most 15 of them; an extension behind them is passed over.
    func chunkSize() -> LineReading<Int> {
        var (size, place) = (0, 0)
        while place < count, let digit = self[place].hexDigitValue {
            guard place < 15 else { return .malformed }
            size = size << 4 | Int(digit)
            place += 1
        }
        guard place < count else { return .unfinished }
        guard place > 0 else { return .malformed }
        if self[place] == UInt8(ascii: ";") { place = endOfText(from: place) }
        return lineEnd(at: place).map { _ in size }
    }
}
