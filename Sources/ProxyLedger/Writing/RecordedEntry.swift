import ProxyAccounting

/// A request where it stands in its page, and what of its row stands elsewhere.
struct RecordedEntry {
    let row: EntryRow
    let page: EntryPage
    /// Where the page's names begin among those of its batch.
    let firstName: Int

    init(_ index: Int, of page: EntryPage, firstName: Int) {
        row = page.rows[index]
        self.page = page
        self.firstName = firstName
    }

    func name(_ place: EntryPage.Name) -> String { page.name(place) }
    func name(ifAny place: EntryPage.Name) -> String? { page.name(ifAny: place) }
    func text(_ place: EntryPage.Bytes) -> ArraySlice<UInt8> { page.text(place) }
    func text(ifAny place: EntryPage.Bytes) -> ArraySlice<UInt8>? { page.text(ifAny: place) }

    var attemptCount: Int { row.attempts.count }

    /// - Parameter index: from 0.
    func attempt(_ index: Int) -> AttemptRow { page.attempt(row.attempts.lowerBound + index) }
}
