import Testing

@testable import Proxy

/// Expressions over names that clients make up.
@Suite struct ModelFilterTests {
    private func filter(_ patterns: [String]) throws -> ModelFilter {
        var filter = ModelFilter()
        for pattern in patterns { try filter.add(pattern) }
        return filter
    }

    @Test func `A name that stops others costs little`() throws {
        let filter = try filter(["^p/([a-z0-9]+-?)+$", ".*free.*"])
        #expect(!filter.admits("p/aaaaaaaaaaaaaaaaaaaa!"))
        #expect(filter.work < 2000)
        #expect(!filter.admits("p/" + String(repeating: "a", count: 300) + "!") && filter.work < 20_000)
        let before = filter.work
        #expect(!filter.admits("p/" + String(repeating: "f", count: 28_000)), "longer than any name")
        #expect(filter.work == before)
    }

    @Test func `A name is judged once`() throws {
        let filter = try filter(["grok", "^zhipu/"])
        #expect(filter.admits("zhipu/glm-4.6") && !filter.admits("other"))
        let before = filter.work
        for _ in 0..<100 { #expect(filter.admits("zhipu/glm-4.6") && !filter.admits("other")) }
        // A copy knows it as well: catalogues come and go.
        let copy = filter
        #expect(copy.admits("zhipu/glm-4.6") && copy.work == before)
    }

    @Test func `All expressions together have a budget`() throws {
        let filter = try filter(Array(repeating: "(a?){600}b", count: 100))
        #expect(!filter.admits(String(repeating: "a", count: 256)))
        #expect(filter.work < ModelFilter.mostWork * 2)
    }

    /// Looking ahead from every place, from every place of what is looked at.
    @Test(arguments: ["(?:(?!(?!(?!.*c).*b).*b).)*x", "^(?=(.*a)*$)(?=.*.*.*=)(?:(?=(?:(?=.*a).)*b).)*x"])
    func `Looking ahead is within the budget`(pattern: String) throws {
        let filter = try filter([pattern])
        #expect(!filter.admits(String(repeating: "a", count: 256)))
        #expect(filter.work < ModelFilter.mostWork * 2)
    }

    @Test func `A thousand usual expressions are within it`() throws {
        let filter = try filter((0..<1000).map { $0 % 2 == 0 ? "^provider\($0)/model-\($0)$" : ".*model-\($0).*" })
        #expect(filter.admits("provider998/model-998") && filter.admits("x/model-999"))
        #expect(!filter.admits("provider/some-model-of-the-usual-length:free"))
        #expect(filter.work < ModelFilter.mostWork)
    }
}
