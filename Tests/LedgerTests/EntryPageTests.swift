import LedgerTestSupport
import ProxyAccounting
import Testing

@testable import ProxyLedger

@Suite struct EntryPageTests {
    @Test(arguments: 0..<20 as Range<UInt64>)
    func `A page gives back what it was given`(seed: UInt64) {
        var random = RandomEntries(seed: seed)
        for length in [1, 32, 0, 50] {
            let entries = random.next(length)
            let page = EntryPage(of: entries)
            #expect(page.count == length)
            #expect(page.entries == entries)
        }
    }

    @Test func `Unknown and empty are not the same`() {
        var one = LedgerEntry(id: "", at: 0, key: "", dialect: "", endpoint: "", status: 0)
        var other = one
        (one.model, one.error, one.firstToken, one.cost) = ("", "", 0, 0)
        one.attempts = [
            LedgerAttempt(number: 1, at: 0, upstream: "", model: "", outcome: "", opcRequestID: "", total: 0)
        ]
        other.attempts = [LedgerAttempt(number: 1, at: 0, upstream: "", model: "", outcome: "", total: 0)]
        var page = EntryPage()
        page.append(one)
        page.append(other)
        page.append(one)
        #expect(page.entries == [one, other, one])
    }
}
