/// Walks through the fields of a message that a stranger has written. It ends at the first byte that makes no sense; what
/// was read until then counts.
struct ProtobufReader {
    enum Value: Equatable {
        case integer(UInt64)
        case bytes(ArraySlice<UInt8>)
        /// Of a type that nobody asks for here.
        case other
    }

    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    /// The next field; nil at the end, and where it is cut off or malformed.
    mutating func next() -> (field: UInt64, value: Value)? {
        guard !rest.isEmpty, let key = varint(), key >> 3 != 0, let type = ProtobufType(rawValue: UInt8(key & 7)) else {
            return nil
        }
        switch type {
        case .varint: return varint().map { (key >> 3, .integer($0)) }
        case .lengthDelimited:
            guard let length = varint(), length <= UInt64(rest.count) else { return nil }
            return take(Int(length)).map { (key >> 3, .bytes($0)) }
        case .fixed64: return take(8).map { _ in (key >> 3, .other) }
        case .fixed32: return take(4).map { _ in (key >> 3, .other) }
        // Nobody writes groups any more.
        case .groupStart, .groupEnd: return nil
        }
    }

    private mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }

    private mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard rest.count >= count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }
}
