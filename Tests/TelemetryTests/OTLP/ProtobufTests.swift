import Testing

@testable import ProxyTelemetry

@Suite struct ProtobufTests {
    @Test(arguments: [0, 1, 2, 126, 127, 128, 129, 300, 16_383, 16_384, 2_097_151, 2_097_152])
    func `A message has its length in front in the shortest form, whatever it is`(length: Int) throws {
        var writer = ProtobufWriter()
        writer.integer(1, 7)
        writer.message(2) { $0.string(9, String(repeating: "x", count: length)) }
        writer.integer(3, 8)
        let read = try WireMessage(writer.bytes)
        #expect(read.fields.map(\.number) == [1, 2, 3])
        #expect(read.all(1) == [.varint(7)] && read.all(3) == [.varint(8)])
        #expect(try read.messages(2)[0].text(9)?.utf8.count == length)
    }

    @Test func `Whatever is written is what an independent reader reads`() throws {
        var dice = Dice(11)
        for _ in 0..<300 {
            var writer = ProtobufWriter()
            var expected: [(Int, WireMessage.Value)] = []
            for _ in 0..<Int.random(in: 0...12, using: &dice) {
                let field = UInt32.random(in: 1...2_000, using: &dice)
                let number = UInt64.random(in: .min ... .max, using: &dice) >> UInt64.random(in: 0...63, using: &dice)
                switch Int.random(in: 0...5, using: &dice) {
                case 0:
                    writer.integer(field, number)
                    expected.append((Int(field), .varint(number)))
                case 1:
                    writer.fixed64(field, number)
                    expected.append((Int(field), .fixed64(number)))
                case 2:
                    writer.fixed32(field, UInt32(truncatingIfNeeded: number))
                    expected.append((Int(field), .fixed32(UInt32(truncatingIfNeeded: number))))
                case 3:
                    writer.double(field, Double(number))
                    expected.append((Int(field), .fixed64(Double(number).bitPattern)))
                case 4:
                    let text = String(repeating: "é", count: Int(number % 200))
                    writer.string(field, text)
                    expected.append((Int(field), .bytes(Array(text.utf8))))
                default:
                    let depth = Int(number % 5)
                    let inner = Self.nested(depth, into: &writer, field)
                    expected.append((Int(field), .bytes(inner)))
                }
            }
            let read = try WireMessage(writer.bytes)
            #expect(read.fields.elementsEqual(expected) { $0 == $1 })
        }
    }

    /// Messages in messages; what the outermost holds.
    private static func nested(_ depth: Int, into writer: inout ProtobufWriter, _ field: UInt32) -> [UInt8] {
        var apart = ProtobufWriter()
        fill(depth, &apart)
        writer.message(field) { fill(depth, &$0) }
        return apart.bytes
    }

    private static func fill(_ depth: Int, _ writer: inout ProtobufWriter) {
        writer.string(1, String(repeating: "x", count: 70 * depth))
        if depth > 0 { writer.message(2) { fill(depth - 1, &$0) } }
    }

    @Test func `The reader gives what stands there, and ends at nonsense`() {
        var reader = ProtobufReader([
            0x08, 0x96, 0x01, 0x12, 0x02, 0x68, 0x69, 0x1D, 1, 2, 3, 4, 0x21, 1, 2, 3, 4, 5, 6, 7, 8,
        ])
        var read: [(UInt64, ProtobufReader.Value)] = []
        while let (field, value) = reader.next() { read.append((field, value)) }
        #expect(
            read.elementsEqual([(1, .integer(150)), (2, .bytes([0x68, 0x69])), (3, .other), (4, .other)]) { $0 == $1 })
    }

    @Test(
        arguments: [
            [0x00], [0x08], [0x08, 0x80], [0x12, 0x05, 0x61], [0x1D, 1, 2], [0x21, 1], [0x0B], [0x0C], [0x0E], [0x0F],
            [0x08] + Array(repeating: 0xFF, count: 11),
            [0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0x61],
        ] as [[UInt8]]
    )
    func `What is cut off or malformed is no field`(bytes: [UInt8]) {
        var reader = ProtobufReader(bytes[...])
        #expect(reader.next() == nil)
    }
}
