/// Where a network may cut bytes: places that the bytes themselves choose, so that each input is one case.
struct Cuts {
    private(set) var random: SplitMix64
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        // FNV-1a.
        random = SplitMix64(seed: bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0100_0000_01B3 })
    }

    /// The whole; single bytes, while they are few enough for a reader that begins a line anew with each; and pieces of any length, none among them.
    var ways: [[ArraySlice<UInt8>]] {
        var random = random
        var ways = [[bytes[...]]]
        if bytes.count <= 600 { ways.append(bytes.indices.map { bytes[$0...$0] }) }
        let longest = [3, 20, 200, 2000].randomElement(using: &random) ?? 1
        var (pieces, rest): ([ArraySlice<UInt8>], ArraySlice<UInt8>) = ([], bytes[...])
        while !rest.isEmpty {
            let piece = rest.prefix(Int.random(in: 0...longest, using: &random))
            pieces.append(piece)
            rest = rest.dropFirst(piece.count)
        }
        return ways + [pieces]
    }
}
