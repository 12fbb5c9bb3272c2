/// Reading bytes that strangers have sent. What is not there is nil, and never a byte of somebody else's: to ask is the comparison that a
/// loop needs anyway to know where to stop.
extension Span<UInt8> {
    /// The byte at `index`; nil when there is none.
    @inlinable @inline(__always)
    package func byte(at index: Int) -> UInt8? { indices.contains(index) ? self[index] : nil }

    /// Eight bytes from `index` on, the first of them the lowest; nil when there are fewer.
    @inlinable @inline(__always)
    package func word(at index: Int) -> UInt64? {
        guard index >= 0, index <= count &- 8 else { return nil }
        // All eight are there, and whatever their bits are, they are a number.
        return unsafe UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self))
    }

    /// Whether that text stands there, and not only its beginning.
    @inlinable @inline(__always)
    package func stands(_ text: StaticString, at place: Int) -> Bool {
        let length = text.utf8CodeUnitCount
        guard place >= 0, place <= count &- length else { return false }
        // Both have `length` bytes from here on.
        return unsafe bytes.withUnsafeBytes { bytes in
            let expected = unsafe UnsafeRawPointer(text.utf8Start)
            var index = 0
            while index &+ 8 <= length {
                let word = unsafe bytes.loadUnaligned(fromByteOffset: place &+ index, as: UInt64.self)
                guard unsafe word == expected.loadUnaligned(fromByteOffset: index, as: UInt64.self) else {
                    return false
                }
                index &+= 8
            }
            if index &+ 4 <= length {
                let word = unsafe bytes.loadUnaligned(fromByteOffset: place &+ index, as: UInt32.self)
                guard unsafe word == expected.loadUnaligned(fromByteOffset: index, as: UInt32.self) else {
                    return false
                }
                index &+= 4
            }
            while index < length {
                guard unsafe bytes[place &+ index] == text.utf8Start[index] else { return false }
                index &+= 1
            }
            return true
        }
    }

    /// Whether exactly that text stands in `range`.
    @inlinable @inline(__always)
    package func isText(_ range: Range<Int>, _ text: StaticString) -> Bool {
        range.count == text.utf8CodeUnitCount && stands(text, at: range.lowerBound)
    }
}

extension [UInt8] {
    /// Copies those bytes to the end.
    @inlinable
    package mutating func append(contentsOf bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }

    @inlinable
    package mutating func append(literal text: StaticString) {
        text.withUTF8Buffer { unsafe append(contentsOf: $0) }
    }
}

/// The bytes of a literal, which is there as long as the program is.
@usableFromInline
@safe package struct LiteralBytes: RandomAccessCollection {
    @usableFromInline package let text: StaticString

    @usableFromInline package init(_ text: StaticString) { self.text = text }

    @inlinable package var startIndex: Int { 0 }
    @inlinable package var endIndex: Int { text.utf8CodeUnitCount }

    @inlinable
    package subscript(index: Int) -> UInt8 {
        precondition(index >= 0 && index < endIndex)
        return unsafe text.utf8Start[index]
    }
}

extension StaticString {
    /// The bytes of the literal.
    @inlinable package var utf8: LiteralBytes { LiteralBytes(self) }
}
