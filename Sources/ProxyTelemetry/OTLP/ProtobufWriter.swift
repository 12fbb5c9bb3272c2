/// Writes Protocol Buffers into one growing array. It writes what it is told to, also defaults: what may be left away, the
/// caller knows.
struct ProtobufWriter: Sendable {
    private(set) var bytes: [UInt8] = []

    init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    mutating func reserve(_ count: Int) { bytes.reserveCapacity(bytes.count + count) }

    /// A number without sign, an enumeration's, or a signed one that is not zigzagged.
    mutating func integer(_ field: UInt32, _ value: UInt64) {
        key(field, .varint)
        varint(value)
    }

    mutating func boolean(_ field: UInt32, _ value: Bool) { integer(field, value ? 1 : 0) }

    mutating func fixed32(_ field: UInt32, _ value: UInt32) {
        key(field, .fixed32)
        littleEndian(UInt64(value), count: 4)
    }

    mutating func fixed64(_ field: UInt32, _ value: UInt64) {
        key(field, .fixed64)
        littleEndian(value, count: 8)
    }

    mutating func double(_ field: UInt32, _ value: Double) { fixed64(field, value.bitPattern) }

    mutating func string(_ field: UInt32, _ value: String) {
        key(field, .lengthDelimited)
        varint(UInt64(value.utf8.count))
        bytes.append(contentsOf: value.utf8)
    }

    /// Bytes: numbers one behind the other, each with its first byte in front.
    mutating func bigEndian(_ field: UInt32, _ values: UInt64...) {
        key(field, .lengthDelimited)
        varint(UInt64(values.count * 8))
        for value in values {
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: value >> shift))
            }
        }
    }

    /// A message within this one.
    mutating func message(_ field: UInt32, _ content: (inout ProtobufWriter) -> Void) {
        key(field, .lengthDelimited)
        // Room for a length of one byte. Longer ones push the content along, which is a copy of memory: cheaper than to
        // work out all lengths beforehand.
        let place = bytes.count
        bytes.append(0)
        content(&self)
        var length = UInt64(bytes.count - place - 1)
        if length >= 0x80 {
            let more = (63 - length.leadingZeroBitCount) / 7
            bytes.insert(contentsOf: repeatElement(0, count: more), at: place)
        }
        var index = place
        while length >= 0x80 {
            bytes[index] = UInt8(truncatingIfNeeded: length) | 0x80
            length >>= 7
            index += 1
        }
        bytes[index] = UInt8(length)
    }

    /// A message that is written already.
    mutating func message(_ field: UInt32, written: [UInt8]) {
        key(field, .lengthDelimited)
        varint(UInt64(written.count))
        bytes.append(contentsOf: written)
    }

    private mutating func key(_ field: UInt32, _ type: ProtobufType) {
        varint(UInt64(field) << 3 | UInt64(type.rawValue))
    }

    private mutating func varint(_ value: UInt64) {
        var value = value
        while value >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        bytes.append(UInt8(value))
    }

    private mutating func littleEndian(_ value: UInt64, count: Int) {
        for index in 0..<count { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * UInt64(index)))) }
    }
}

/// How a field's value is written down.
enum ProtobufType: UInt8, Sendable { case varint, fixed64, lengthDelimited, groupStart, groupEnd, fixed32 }
