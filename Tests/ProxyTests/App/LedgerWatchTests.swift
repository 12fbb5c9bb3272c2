import LedgerTestSupport
import ProxyAccounting
import ProxyTestSupport
import Testing

@testable import Proxy

@Suite struct LedgerWatchTests {
    private static let well = LedgerFigures()
    private static func standing(_ seconds: Int) -> LedgerFigures {
        var figures = LedgerFigures()
        figures.pending = 10 * seconds
        figures.problem = "no answer for \(seconds) s"
        figures.standstill = .seconds(seconds)
        return figures
    }
    private static var failing: LedgerFigures {
        var figures = LedgerFigures()
        figures.problem = "the disk is full"
        return figures
    }

    @Test func `A standstill is told once, and its end with how long it was`() {
        var news = StandstillNews()
        #expect(news.line(of: Self.well, at: .seconds(0)) == nil)
        #expect(
            news.line(of: Self.standing(7), at: .seconds(5)) == .stands(problem: "no answer for 7 s", pending: 70))
        for second in stride(from: 10, to: 600, by: 5) {
            #expect(news.line(of: Self.standing(second), at: .seconds(second)) == nil)
        }
        #expect(news.line(of: Self.well, at: .seconds(600)) == .goesOn(length: .seconds(595)))
        #expect(news.line(of: Self.well, at: .seconds(605)) == nil)
        #expect(news.line(of: Self.standing(6), at: .seconds(700)) != nil, "another one")
    }

    @Test func `A writer that comes back with an error tells of it itself`() {
        var news = StandstillNews()
        #expect(news.line(of: Self.failing, at: .seconds(0)) == nil)
        #expect(news.line(of: Self.standing(6), at: .seconds(5)) != nil)
        #expect(news.line(of: Self.failing, at: .seconds(10)) == nil)
        #expect(news.line(of: Self.well, at: .seconds(15)) == nil)
    }

    @Test func `A disk that stands still and goes on in turn is told of once a minute`() {
        var news = StandstillNews()
        var told: [Int] = []
        for second in stride(from: 0, to: 180, by: 5) {
            let figures = second % 10 == 0 ? Self.standing(6) : Self.well
            if case .stands = news.line(of: figures, at: .seconds(second)) { told.append(second) }
        }
        #expect(told == [0, 60, 120])
        // One that lasts is told when the minute is over.
        #expect(news.line(of: Self.standing(6), at: .seconds(175)) == nil)
        #expect(news.line(of: Self.standing(11), at: .seconds(180)) != nil)
    }

    @Test(.timeLimit(.minutes(5))) func `It looks every five seconds, and believes no look that comes late`() async {
        let (time, book, ledger) = (ManualTime(), LogBook(), KeptLedger())
        let watch = LedgerWatch(ledger: ledger, time: time.source, logger: book.logger)
        let running = Task { await watch.run() }
        await time.waitForSleepers()
        ledger.show(Self.standing(60))
        // The whole process stood still.
        time.advance(by: .seconds(60))
        await time.waitForSleepers()
        #expect(book.lines.isEmpty)
        time.advance(by: .milliseconds(4999))
        #expect(book.lines.isEmpty)
        time.advance(by: .milliseconds(1))
        await time.waitForSleepers()
        #expect(book.lines.count == 1 && book.lines[0].message.contains("no answer for 60 s"), "\(book.lines)")
        time.advance(by: LedgerWatch.interval)
        await time.waitForSleepers()
        #expect(book.lines.count == 1)
        ledger.show(Self.well)
        time.advance(by: LedgerWatch.interval)
        await time.waitForSleepers()
        #expect(book.lines.count == 2 && book.lines[1].message == "The ledger is written again", "\(book.lines)")
        running.cancel()
        await running.value
    }
}
