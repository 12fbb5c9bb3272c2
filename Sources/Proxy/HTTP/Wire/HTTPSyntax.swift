/// The alphabet of HTTP/1 (RFC 9110, 5.5 and 5.6; RFC 9112, 2 to 5), for those who read it byte by byte.
extension UInt8 {
    var isBlank: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }

    /// Of a method or a header field's name: letters, digits and !#$%&'*+-.^_`|~
    var isTokenCharacter: Bool {
        // A bit for each ASCII character.
        let low: UInt64 = 0x03FF_6CFA_0000_0000
        let high: UInt64 = 0x57FF_FFFF_C7FF_FFFE
        return self < 64 ? (low >> UInt64(self)) & 1 == 1 : self < 128 && (high >> UInt64(self - 64)) & 1 == 1
    }

    /// Of the target of a request: what ASCII shows. All else stands there as %XX.
    var isTargetCharacter: Bool { (0x21...0x7E).contains(self) }
}

extension Span<UInt8> {
    /// Bytes that are no UTF-8 become replacement characters.
    func string(_ range: Range<Int>) -> String {
        if let word = usualWord(range) { return word }
        // The string is made within the call.
        return unsafe extracting(range).withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }

    /// What stands in nearly every head is a text of the program already: it need not be checked, nor have memory of its own.
    private func usualWord(_ range: Range<Int>) -> String? {
        let place = range.lowerBound
        switch range.count {
        case 4:
            if stands("host", at: place) { return "host" }
            if stands("Host", at: place) { return "Host" }
            if stands("date", at: place) { return "date" }
            if stands("Date", at: place) { return "Date" }
        case 6:
            if stands("accept", at: place) { return "accept" }
            if stands("Accept", at: place) { return "Accept" }
        case 10:
            if stands("user-agent", at: place) { return "user-agent" }
            if stands("User-Agent", at: place) { return "User-Agent" }
            if stands("connection", at: place) { return "connection" }
            if stands("Connection", at: place) { return "Connection" }
        case 12:
            if stands("content-type", at: place) { return "content-type" }
            if stands("Content-Type", at: place) { return "Content-Type" }
        case 13:
            if stands("authorization", at: place) { return "authorization" }
            if stands("Authorization", at: place) { return "Authorization" }
        case 14:
            if stands("content-length", at: place) { return "content-length" }
            if stands("Content-Length", at: place) { return "Content-Length" }
        case 16:
            if stands("application/json", at: place) { return "application/json" }
        case 17:
            if stands("text/event-stream", at: place) { return "text/event-stream" }
            if stands("transfer-encoding", at: place) { return "transfer-encoding" }
            if stands("Transfer-Encoding", at: place) { return "Transfer-Encoding" }
        case 20:
            if stands("/v1/chat/completions", at: place) { return "/v1/chat/completions" }
        default: break
        }
        return nil
    }

    /// Whether these bytes are that text but for the case of ASCII letters.
    func isEqualIgnoringCase(_ range: Range<Int>, to lowercase: StaticString) -> Bool {
        guard range.count == lowercase.utf8CodeUnitCount else { return false }
        let expected = lowercase.utf8
        for place in 0..<range.count {
            let byte = self[range.lowerBound + place]
            let isCapital = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            guard (isCapital ? byte | 0x20 : byte) == expected[place] else { return false }
        }
        return true
    }

    /// Where a token ends that begins at `start`: the first byte that belongs to none, or the end of the bytes.
    @inline(__always)
    func endOfToken(from start: Int) -> Int {
        var place = start
        while let byte = byte(at: place), byte.isTokenCharacter { place += 1 }
        return place
    }

    /// Behind the blanks and tabs that stand at `start`.
    @inline(__always)
    func endOfBlanks(from start: Int) -> Int {
        var place = start
        while byte(at: place)?.isBlank == true { place += 1 }
        return place
    }

    /// The range without the blanks and tabs at its end.
    func trimmingEnd(of range: Range<Int>) -> Range<Int> {
        var end = range.upperBound
        while end > range.lowerBound, self[end - 1].isBlank { end -= 1 }
        return range.lowerBound..<end
    }

    /// Decimal digits and nothing else, at most 18 of them.
    func decimal(_ range: Range<Int>) -> Int? {
        guard (1...18).contains(range.count) else { return nil }
        var number = 0
        for index in range {
            guard (0x30...0x39).contains(self[index]) else { return nil }
            number = number * 10 + Int(self[index] - 0x30)
        }
        return number
    }

    /// Where a text ends: the first control character other than a tab, or the end of the bytes.
    func endOfText(from start: Int) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        var index = start
        // Texts are long and control characters rare: eight bytes at a time, as long as there is none.
        while let word = word(at: index) {
            let below = (word &- ones &* 0x20) & ~word
            let rubout = word ^ ones &* 0x7F
            guard (below | (rubout &- ones) & ~rubout) & (ones &* 0x80) == 0 else { break }
            index += 8
        }
        while let byte = byte(at: index), byte >= 0x20 || byte == UInt8(ascii: "\t"), byte != 0x7F { index += 1 }
        return index
    }
}
