import Testing

@testable import Proxy

/// When being late means that the process stood still, and what becomes of the moments that were to come.
@Suite struct ClockGapTests {
    @Test(arguments: [0, 1, 500, 1000]) func `A look that is a little late is no gap`(milliseconds: Int) {
        var gap = ClockGap()
        #expect(gap.looked(at: .seconds(5) + .milliseconds(milliseconds), planned: .seconds(5)) == nil)
        #expect(gap.count == 0)
    }

    @Test(arguments: [
        // Planned, looked; a moment, and the one that takes its place.
        (5.0, 6.5, 5.0, 7.5), (5, 6.5, 4, 7.5), (5, 6.5, 6.0, 7.5), (5, 6.5, 6.25, 7.75), (5, 6.5, 100, 101.5),
        (1, 3601, 2, 3602), (1, 3601, 3, 3603),
    ]) func `Every moment is postponed by the gap and some time is left to read`(
        planned: Double, looked: Double, instant: Double, expected: Double
    ) {
        var gap = ClockGap()
        let delay = gap.looked(at: .seconds(looked), planned: .seconds(planned))
        #expect(delay?.length == .seconds(looked - planned))
        #expect(delay?.postponed(.seconds(instant)) == .seconds(expected))
        #expect(gap.count == 1)
    }

    /// A machine that is always late is no reason for a deadline never to pass.
    @Test func `The time to read is not given twice in a row`() {
        var gap = ClockGap()
        #expect(gap.looked(at: .seconds(7), planned: .seconds(5))?.earliest == .seconds(8))
        #expect(
            gap.looked(at: .seconds(10), planned: .seconds(8)) == .init(length: .seconds(2), earliest: .seconds(10)))
        #expect(gap.looked(at: .seconds(11), planned: .seconds(11)) == nil)
        #expect(gap.looked(at: .seconds(14), planned: .seconds(12))?.earliest == .seconds(15))
        #expect(gap.count == 3)
    }

    @Test func `A gap counts before it has been noticed`() {
        var gap = ClockGap()
        #expect(gap.count(at: .seconds(5), planned: nil) == 0)
        #expect(gap.count(at: .seconds(6), planned: .seconds(5)) == 0)
        #expect(gap.count(at: .seconds(7), planned: .seconds(5)) == 1)
        _ = gap.looked(at: .seconds(7), planned: .seconds(5))
        #expect(gap.count(at: .seconds(7), planned: .seconds(8)) == 1)
    }

    @Test func `Who asks later hears of a gap since a moment`() {
        var gap = ClockGap()
        #expect(!gap.hasBeen(since: .zero, at: .seconds(5), planned: .seconds(5)))
        #expect(gap.hasBeen(since: .zero, at: .seconds(7), planned: .seconds(5)), "nobody has noticed it yet")
        _ = gap.looked(at: .seconds(7), planned: .seconds(5))
        #expect(
            gap.hasBeen(since: .seconds(6), at: .seconds(9), planned: nil)
                && gap.hasBeen(since: .seconds(7), at: .seconds(9), planned: .seconds(9)))
        #expect(!gap.hasBeen(since: .seconds(8), at: .seconds(9), planned: .seconds(9)))
    }
}
