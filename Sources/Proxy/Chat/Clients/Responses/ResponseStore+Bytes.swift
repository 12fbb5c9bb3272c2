/// A kept response as bytes: lists and texts with their lengths before them, so that nothing has to be escaped or scanned.
extension ResponseStore.Kept {
    private static let version: UInt8 = 1

    var encoded: [UInt8] {
        var writer = LengthWriter()
        writer.bytes.reserveCapacity(response.count + 64 * (input.count + output.count))
        writer.bytes.append(Self.version)
        writer.write(response)
        for items in [input, output] {
            writer.write(items.count)
            for item in items {
                writer.write(Array(item.id.utf8))
                writer.write(item.bytes)
            }
        }
        return writer.bytes
    }

    /// - Parameter expires: of the monotonic clock.
    /// - Returns: nil for what is not of this form.
    init?(encoded bytes: [UInt8], expires: Duration) {
        var reader = LengthReader(bytes)
        guard reader.byte() == Self.version, let response = reader.text(), let input = reader.items(),
            let output = reader.items(), reader.isAtEnd
        else { return nil }
        self.init(input: input, output: output, response: response, expires: expires)
    }
}

private struct LengthWriter {
    var bytes: [UInt8] = []

    mutating func write(_ number: Int) {
        for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    mutating func write(_ text: [UInt8]) {
        write(text.count)
        bytes += text
    }
}

private struct LengthReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func byte() -> UInt8? { rest.popFirst() }

    private mutating func number() -> Int? {
        guard rest.count >= 4 else { return nil }
        defer { rest = rest.dropFirst(4) }
        return rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
    }

    mutating func text() -> [UInt8]? {
        guard let count = number(), count <= rest.count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    mutating func items() -> [ResponseStore.Item]? {
        // Each takes eight bytes at least.
        guard let count = number(), count <= rest.count / 8 else { return nil }
        var items: [ResponseStore.Item] = []
        items.reserveCapacity(count)
        for _ in 0..<count {
            guard let id = text().flatMap({ String(validating: $0, as: UTF8.self) }), let bytes = text() else {
                return nil
            }
            items.append(ResponseStore.Item(id: id, bytes: bytes))
        }
        return items
    }
}
