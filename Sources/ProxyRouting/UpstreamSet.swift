/// A set of upstreams by their index in the router's list. Up to 128 of them cost no allocation.
package struct UpstreamSet: Hashable, Sendable {
    private var first: UInt64 = 0
    private var second: UInt64 = 0
    /// Without zeros at its end: two equal sets have one form.
    private var rest: [UInt64] = []

    package init() {}

    package init(_ indices: some Sequence<Int>) {
        for index in indices { insert(index) }
    }

    /// All of the first `count`.
    package init(first count: Int) { self.init(0..<count) }

    /// The first 64, one a bit.
    package var firstWord: UInt64 { first }

    package var isEmpty: Bool { first == 0 && second == 0 && rest.isEmpty }

    package var count: Int {
        first.nonzeroBitCount + second.nonzeroBitCount + rest.reduce(0) { $0 + $1.nonzeroBitCount }
    }

    package func contains(_ index: Int) -> Bool { word(index >> 6) & (1 << UInt64(index & 63)) != 0 }

    package mutating func insert(_ index: Int) {
        let bit: UInt64 = 1 << UInt64(index & 63)
        switch index >> 6 {
        case 0: first |= bit
        case 1: second |= bit
        case let word:
            while rest.count < word - 1 { rest.append(0) }
            rest[word - 2] |= bit
        }
    }

    package mutating func remove(_ index: Int) {
        let bit: UInt64 = 1 << UInt64(index & 63)
        switch index >> 6 {
        case 0: first &= ~bit
        case 1: second &= ~bit
        case let word where word - 2 < rest.count:
            rest[word - 2] &= ~bit
            trim()
        default: break
        }
    }

    package mutating func subtract(_ other: UpstreamSet) {
        first &= ~other.first
        second &= ~other.second
        guard !rest.isEmpty, !other.rest.isEmpty else { return }
        for index in 0..<Swift.min(rest.count, other.rest.count) { rest[index] &= ~other.rest[index] }
        trim()
    }

    package func subtracting(_ other: UpstreamSet) -> UpstreamSet {
        var result = self
        result.subtract(other)
        return result
    }

    package func union(_ other: UpstreamSet) -> UpstreamSet {
        var result = self
        result.first |= other.first
        result.second |= other.second
        while result.rest.count < other.rest.count { result.rest.append(0) }
        for (index, word) in other.rest.enumerated() { result.rest[index] |= word }
        return result
    }

    package func intersects(_ other: UpstreamSet) -> Bool {
        if first & other.first != 0 || second & other.second != 0 { return true }
        return zip(rest, other.rest).contains { $0 & $1 != 0 }
    }

    /// The lowest index that is at least `bound`; nil when there is none.
    package func first(from bound: Int) -> Int? {
        var index = bound >> 6
        var bits = word(index) & (UInt64.max << UInt64(bound & 63))
        while bits == 0 {
            index += 1
            guard index < rest.count + 2 else { return nil }
            bits = word(index)
        }
        return index << 6 + bits.trailingZeroBitCount
    }

    private func word(_ index: Int) -> UInt64 {
        switch index {
        case 0: first
        case 1: second
        default: index - 2 < rest.count ? rest[index - 2] : 0
        }
    }

    private mutating func trim() {
        while rest.last == 0 { rest.removeLast() }
    }
}

extension UpstreamSet: Sequence {
    /// In ascending order.
    package struct Iterator: IteratorProtocol {
        fileprivate let set: UpstreamSet
        fileprivate var bound = 0

        package mutating func next() -> Int? {
            guard let index = set.first(from: bound) else { return nil }
            bound = index + 1
            return index
        }
    }

    package func makeIterator() -> Iterator { Iterator(set: self) }
}
