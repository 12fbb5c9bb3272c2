import NIOCore

/// Writes the lines of an HTTP head one behind the other into room that has been made before: string by string, a buffer asks each
/// time whether it is its only owner and large enough, which for a head is most of the work.
///
/// What does not fit is counted and not written.
@safe struct HeadLines {
    private let room: UnsafeMutableRawBufferPointer
    fileprivate private(set) var count = 0

    fileprivate init(_ room: UnsafeMutableRawBufferPointer) { unsafe self.room = room }

    mutating func append(_ text: StaticString) {
        // A literal is there as long as the program.
        unsafe copy(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func append(_ text: String) {
        // Nearly every text is there as it is; the others are made so, which takes a copy.
        guard unsafe text.utf8.withContiguousStorageIfAvailable({ unsafe copy(UnsafeRawBufferPointer($0)) }) == nil
        else { return }
        var text = text
        text.withUTF8 { unsafe copy(UnsafeRawBufferPointer($0)) }
    }

    mutating func append(field name: String, _ value: String) {
        append(name)
        append(UInt8(ascii: ":"), UInt8(ascii: " "))
        append(value)
        append(UInt8(ascii: "\r"), UInt8(ascii: "\n"))
    }

    private mutating func append(_ first: UInt8, _ second: UInt8) {
        if unsafe count + 2 <= room.count {
            unsafe room[count] = first
            unsafe room[count + 1] = second
        }
        count += 2
    }

    private mutating func copy(_ bytes: UnsafeRawBufferPointer) {
        // Once something has not fitted, the count is beyond the room.
        if unsafe count + bytes.count <= room.count, let source = bytes.baseAddress,
            let target = unsafe room.baseAddress
        {
            unsafe (target + count).copyMemory(from: source, byteCount: bytes.count)
        }
        count += bytes.count
    }
}

extension ByteBuffer {
    /// - Parameters:
    ///   - length: bytes that `body` mostly writes; when it writes more, it is called again.
    ///   - body: writes the same each time.
    mutating func writeHead(expecting length: Int, _ body: (inout HeadLines) -> Void) {
        var (length, isWritten) = (length, false)
        while !isWritten {
            unsafe writeWithUnsafeMutableBytes(minimumWritableBytes: length) { room in
                var lines = unsafe HeadLines(room)
                body(&lines)
                isWritten = lines.count <= room.count
                length = lines.count
                return isWritten ? length : 0
            }
        }
    }
}
