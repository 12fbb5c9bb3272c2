import ProxyCluster

/// Collects the elements of an answer in the order in which they stand in it. That order and the arrays' counts make the tree.
final class RESPBuilder {
    private enum Token {
        case leaf(RESP)
        case array(Int)
    }

    private let limits: RESPReader.Limits
    private var tokens: [Token] = []
    /// Elements that arrays have announced.
    private var announced = 0
    private(set) var isTooLarge = false

    init(_ limits: RESPReader.Limits) { self.limits = limits }

    func add(_ leaf: RESP) -> Bool {
        tokens.append(.leaf(leaf))
        return true
    }

    func addArray(_ count: Int) -> Bool {
        guard count >= 0, count <= limits.elements - announced - 1 else {
            isTooLarge = true
            return false
        }
        announced += count
        tokens.append(.array(count))
        return true
    }

    /// Nil when hiredis has read what it did not tell of: kinds of a later version of the protocol.
    func finish() -> RESP? {
        defer {
            tokens.removeAll(keepingCapacity: tokens.count < 4_096)
            announced = 0
        }
        var index = 0
        guard let answer = take(&index, depth: 0), index == tokens.count else { return nil }
        return answer
    }

    private func take(_ index: inout Int, depth: Int) -> RESP? {
        guard index < tokens.count, depth <= limits.depth else { return nil }
        let token = tokens[index]
        index += 1
        switch token {
        case .leaf(let leaf): return leaf
        case .array(let count):
            var elements: [RESP] = []
            elements.reserveCapacity(min(count, tokens.count - index))
            for _ in 0..<count {
                guard let element = take(&index, depth: depth + 1) else { return nil }
                elements.append(element)
            }
            return .array(elements)
        }
    }
}
