/// A set of upstreams by their place in the router's list. Up to 64 of them cost no allocation.
package struct UpstreamSet: Hashable, Sendable {
    private var first: UInt64 = 0
    private var rest: [UInt64] = []

    package init() {}

    package init(_ indices: some Sequence<Int>) {
        for index in indices { insert(index) }
    }

    /// All of the first `count`.
    package init(first count: Int) { self.init(0..<count) }

    package var isEmpty: Bool { first == 0 && rest.isEmpty }

    package func contains(_ index: Int) -> Bool {
        let word = index >> 6
        let bits = word == 0 ? first : word <= rest.count ? rest[word - 1] : 0
        return bits & (1 << UInt64(index & 63)) != 0
    }

    package mutating func insert(_ index: Int) {
        let word = index >> 6
        if word == 0 {
            first |= 1 << UInt64(index & 63)
        } else {
            while rest.count < word { rest.append(0) }
            rest[word - 1] |= 1 << UInt64(index & 63)
        }
    }

    package func subtracting(_ other: UpstreamSet) -> UpstreamSet {
        var result = self
        result.first &= ~other.first
        for (index, word) in other.rest.prefix(rest.count).enumerated() { result.rest[index] &= ~word }
        // Two equal sets have one form.
        while result.rest.last == 0 { result.rest.removeLast() }
        return result
    }
}

extension UpstreamSet: Sequence {
    /// In ascending order.
    package struct Iterator: IteratorProtocol {
        fileprivate var word: UInt64
        fileprivate var base = 0
        fileprivate var rest: ArraySlice<UInt64>

        package mutating func next() -> Int? {
            while word == 0 {
                guard let following = rest.popFirst() else { return nil }
                word = following
                base += 64
            }
            defer { word &= word - 1 }
            return base + word.trailingZeroBitCount
        }
    }

    package func makeIterator() -> Iterator { Iterator(word: first, rest: rest[...]) }
}
