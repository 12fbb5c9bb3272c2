import ProxyAccounting
import Testing

@Suite struct RecentEntriesTests {
    private func page(_ ids: [String]) -> EntryPage {
        var page = EntryPage()
        for id in ids {
            var attempt = AttemptRow(
                number: 1, at: 5, upstream: page.place(of: "up-\(id)", .upstream),
                model: page.place(of: "m", .calledModel), outcome: page.place(of: "succeeded", .outcome))
            attempt.opcRequestID = page.place(of: "opc-\(id)")
            attempt.candidates = page.place(ofCandidates: UInt64(id.utf8.count)) { "set\($0)" }
            page.append(attempt)
            var row = EntryRow(
                id: page.place(of: id), at: 1, key: page.place(of: "key-\(id)", .key),
                dialect: page.place(of: "chat", .dialect), endpoint: page.place(of: "/", .endpoint), status: 200)
            row.story = page.place(of: Array("[\(id)]".utf8))
            row.model = page.place(of: "model-\(id)", .model)
            page.append(row)
        }
        return page
    }

    @Test func `A request is found as its page had it, whichever page it has moved to`() {
        let recent = RecentEntries(capacity: 5000)
        for start in stride(from: 0, to: 2000, by: 7) { recent.keep(page((start..<start + 7).map { "\($0)" })) }
        for number in [0, 1, 6, 7, 255, 256, 257, 1999] {
            let id = "\(number)"
            let one = page([id])
            #expect(recent.story(of: id) == one.story(one.rows[0]))
        }
        #expect(recent.story(of: "2002") == nil)
    }

    @Test func `The oldest go, and as many as wanted stay`() {
        let recent = RecentEntries(capacity: 1000)
        for number in 0..<5000 { recent.keep(page(["\(number)"])) }
        #expect(recent.count == 1000)
        #expect(recent.story(of: "4000") != nil && recent.story(of: "4999") != nil)
        #expect(recent.story(of: "3500") == nil)
        #expect(recent.last(3).map(\.id) == ["4999", "4998", "4997"])
    }

    @Test func `Of several with one id the newest is told of`() {
        let recent = RecentEntries()
        recent.keep(page(["a", "b"]))
        var newer = EntryPage()
        newer.append(
            EntryRow(
                id: newer.place(of: "a"), at: 9, key: newer.place(of: "other", .key),
                dialect: newer.place(of: "chat", .dialect), endpoint: newer.place(of: "/", .endpoint), status: 500))
        recent.keep(newer)
        #expect(recent.story(of: "a")?.status == 500)
    }
}
