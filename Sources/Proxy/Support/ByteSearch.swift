/// Finds a byte, eight at a time.
enum ByteSearch {
    static func firstIndex(of byte: UInt8, in bytes: [UInt8], from start: Int) -> Int? {
        bytes.withUnsafeBufferPointer { text in
            guard let base = text.baseAddress else { return nil }
            let ones: UInt64 = 0x0101_0101_0101_0101
            let wanted = ones &* UInt64(byte)
            var index = start
            while index + 8 <= text.count {
                let word = UInt64(littleEndian: UnsafeRawPointer(base + index).loadUnaligned(as: UInt64.self)) ^ wanted
                // A borrow may mark bytes behind a hit, never one before it: the lowest mark is the place.
                let hits = (word &- ones) & ~word & (ones &* 0x80)
                if hits != 0 { return index + hits.trailingZeroBitCount / 8 }
                index += 8
            }
            while index < text.count {
                if text[index] == byte { return index }
                index += 1
            }
            return nil
        }
    }
}
