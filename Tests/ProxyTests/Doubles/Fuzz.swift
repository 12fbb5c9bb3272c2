import Foundation
import ProxyTestSupport

/// Tests with inputs by chance: each seed is a case that can be run again.
enum Fuzz {
    /// So many seeds, or as many times as many as `FUZZ_ROUNDS` says in the environment: a few seconds for everybody, hours by hand.
    static func seeds(_ count: UInt64) -> Range<UInt64> {
        let rounds = ProcessInfo.processInfo.environment["FUZZ_ROUNDS"].flatMap(UInt64.init) ?? 1
        return 0..<count * max(rounds, 1)
    }

    /// The bytes with some of them changed, removed, doubled, moved or exchanged for `pieces`.
    static func damage(_ bytes: [UInt8], with pieces: [String], upTo most: Int = 6, _ random: inout SplitMix64)
        -> [UInt8]
    {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...most, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: bytes.indices, using: &random)
            let end = min(bytes.count, place + Int.random(in: 1...30, using: &random))
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
            case 1: bytes.removeSubrange(place..<end)
            case 2: bytes.insert(contentsOf: bytes[place..<end], at: place)
            case 3: bytes.replaceSubrange(place..<end, with: Array((pieces.randomElement(using: &random) ?? "").utf8))
            case 4: bytes.insert(contentsOf: Array((pieces.randomElement(using: &random) ?? "").utf8), at: place)
            default: bytes.removeSubrange(Int.random(in: place...bytes.count, using: &random)...)
            }
        }
        return bytes
    }

    /// What stands where in JSON.
    static let json = [
        "null", "-9e18", "9223372036854775808", "1e999", "\"\"", "[]", "{}", ",", ":", "\"", "\\", "\\u00e9", "true",
        "[[[[", "}", "\u{0}", "\n", "é",
    ]

    /// The bytes in pieces, as a network may deliver them.
    static func pieces(of bytes: [UInt8], _ random: inout SplitMix64) -> [ArraySlice<UInt8>] {
        pieces(of: bytes, lengths: 1...([1, 7, 100, 10_000].randomElement(using: &random) ?? 1), &random)
    }

    /// - Parameter lengths: of a piece; a network may deliver nothing at all.
    static func pieces(of bytes: [UInt8], lengths: ClosedRange<Int>, _ random: inout SplitMix64) -> [ArraySlice<UInt8>]
    {
        var pieces: [ArraySlice<UInt8>] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Int.random(in: lengths.lowerBound...min(lengths.upperBound, rest.count), using: &random)
            pieces.append(rest.prefix(count))
            rest = rest.dropFirst(count)
        }
        return pieces
    }
}
