import NIOCore
import NIOHTTP1

/// Writes the lines of an HTTP head one behind the other into room that has been made for all of them: string by string, a buffer asks each
/// time whether it is its only owner and large enough, which for a head is most of the work.
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
        // As below.
        unsafe precondition(room.count - count >= 2)
        unsafe room[count] = first
        unsafe room[count + 1] = second
        count += 2
    }

    private mutating func copy(_ bytes: UnsafeRawBufferPointer) {
        // The caller has counted; a mistake must not write beyond the room.
        unsafe precondition(bytes.count <= room.count - count)
        guard let source = bytes.baseAddress, let target = unsafe room.baseAddress else { return }
        unsafe (target + count).copyMemory(from: source, byteCount: bytes.count)
        count += bytes.count
    }
}

extension ByteBuffer {
    /// - Parameter capacity: bytes that `body` writes, or more.
    mutating func writeHead(capacity: Int, _ body: (inout HeadLines) -> Void) {
        unsafe writeWithUnsafeMutableBytes(minimumWritableBytes: capacity) { room in
            var lines = unsafe HeadLines(room)
            body(&lines)
            return lines.count
        }
    }
}

extension HTTPHeaders {
    /// Bytes of their lines in a head.
    var lineBytes: Int {
        var bytes = 0
        for (name, value) in self { bytes += name.utf8.count + value.utf8.count + 4 }
        return bytes
    }
}
