/// A message of Protocol Buffers taken to pieces, in the order in which its fields stand. It shares nothing with what the
/// module writes and reads with, so that both cannot be wrong together.
struct WireMessage: Equatable {
    enum Value: Equatable {
        case varint(UInt64)
        case fixed64(UInt64)
        case bytes([UInt8])
        case fixed32(UInt32)
    }
    struct Malformed: Error {}

    private(set) var fields: [(number: Int, value: Value)] = []

    init(_ bytes: [UInt8]) throws {
        var index = 0
        func byte() throws -> UInt8 {
            guard index < bytes.count else { throw Malformed() }
            defer { index += 1 }
            return bytes[index]
        }
        func varint() throws -> UInt64 {
            var (value, factor) = (UInt64(0), UInt64(1))
            while true {
                let next = try byte()
                value &+= UInt64(next % 128) &* factor
                if next < 128 {
                    // The shortest form is what everybody writes.
                    guard next != 0 || factor == 1 else { throw Malformed() }
                    return value
                }
                factor &*= 128
            }
        }
        while index < bytes.count {
            let key = try varint()
            let value: Value
            switch key % 8 {
            case 0: value = .varint(try varint())
            case 1:
                var number: UInt64 = 0
                for place in 0..<8 { number |= UInt64(try byte()) << UInt64(8 * place) }
                value = .fixed64(number)
            case 2:
                let length = try varint()
                guard length <= UInt64(bytes.count - index) else { throw Malformed() }
                let content = Array(bytes[index..<(index + Int(length))])
                index += content.count
                value = .bytes(content)
            case 5:
                var number: UInt32 = 0
                for place in 0..<4 { number |= UInt32(try byte()) << UInt32(8 * place) }
                value = .fixed32(number)
            default: throw Malformed()
            }
            fields.append((Int(key / 8), value))
        }
    }

    static func == (one: WireMessage, other: WireMessage) -> Bool {
        one.fields.elementsEqual(other.fields) { $0 == $1 }
    }

    func all(_ number: Int) -> [Value] { fields.filter { $0.number == number }.map(\.value) }

    func bytes(_ number: Int) -> [[UInt8]] {
        all(number).compactMap { if case .bytes(let bytes) = $0 { bytes } else { nil } }
    }

    func messages(_ number: Int) throws -> [WireMessage] { try bytes(number).map { try WireMessage($0) } }

    func text(_ number: Int) -> String? { bytes(number).last.map { String(decoding: $0, as: UTF8.self) } }

    /// Keys and values of the attributes that stand in a field.
    func attributes(_ number: Int) throws -> [SpanAttributeRead] {
        try messages(number).map { pair in
            let value = try pair.messages(2)[0]
            guard value.fields.count == 1, let field = value.fields.first else { throw Malformed() }
            var read = SpanAttributeRead(key: pair.text(1) ?? "", kind: field.number, value: field.value)
            if field.number == 5 { read.texts = try value.messages(5)[0].messages(1).compactMap { $0.text(1) } }
            return read
        }
    }
}

struct SpanAttributeRead: Equatable {
    var key: String
    /// The field of `AnyValue`.
    var kind: Int
    var value: WireMessage.Value
    var texts: [String] = []
}
