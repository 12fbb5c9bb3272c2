import ProxyTestSupport
import Testing

@testable import Proxy

/// What a guess at a name costs, and that the fast way to a distance is the plain one.
@Suite struct NearestNameStepsTests {
    /// The optimal string alignment distance, cell by cell.
    private func plainDistance(_ left: String, _ right: String) -> Int {
        let (left, right) = (Array(NearestName.letters(of: left)), Array(NearestName.letters(of: right)))
        var rows = [Array(0...right.count)]
        for i in 0..<left.count {
            var row = [i + 1]
            for j in 0..<right.count {
                var cell = min(rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (left[i] == right[j] ? 0 : 1))
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                    cell = min(cell, rows[i - 1][j - 1] + 1)
                }
                row.append(cell)
            }
            rows.append(row)
        }
        return rows[left.count][right.count]
    }

    @Test func `The distance is that of the table`() {
        var random = SplitMix64(seed: 18)
        for _ in 0..<3000 {
            func name() -> String {
                let letters = ["a", "b", "c", "A", "é", "e\u{301}", "-", "4", "İ", "ß"].prefix(
                    Int.random(in: 2...10, using: &random))
                return (0..<Int.random(in: 0...([4, 12, 80].randomElement(using: &random) ?? 4), using: &random)).map {
                    _ in letters.randomElement(using: &random) ?? ""
                }.joined()
            }
            let (left, right) = (name(), name())
            #expect(NearestName.distance(left, right) == plainDistance(left, right), "\(left) \(right)")
        }
    }

    @Test func `The work is bounded whatever the names are`() {
        let names = (0..<5000).map { "provider/model-\($0)-" + String(repeating: "x", count: Int($0 % 200)) }
        let most = NearestName.mostCandidates * (ModelName.longest + NearestName.longest)
        for wanted in [
            "grok", String(repeating: "a", count: 256), "a" + String(repeating: "\u{301}", count: 127),
            "a" + String(repeating: "\u{301}", count: 1_000_000),
        ] {
            var steps = 0
            _ = NearestName.several(to: wanted, among: names, limit: 3, &steps)
            #expect(steps <= most)
        }
        // Nor does a list of long names make it more.
        var steps = 0
        _ = NearestName.several(
            to: "grok", among: Array(repeating: "a" + String(repeating: "\u{301}", count: 100_000), count: 100),
            limit: 3, &steps)
        #expect(steps <= most)
    }

    @Test func `A mark is a scalar of its own`() {
        let long = "a" + String(repeating: "\u{301}", count: 1_000_000)
        #expect(NearestName.letters(of: long).count == 64)
        #expect(NearestName.of(long, among: ["grok-4"]) == nil)
    }
}
