/// What the engine answers.
package struct ExchangeReply: Equatable, Sendable {
    package struct Share: Equatable, Sendable {
        package var share: Int
        /// In flight at all other instances, as they have last said.
        package var elsewhere: Int

        package init(share: Int, elsewhere: Int) {
            self.share = share
            self.elsewhere = elsewhere
        }
    }

    package struct Block: Equatable, Sendable {
        /// Up to where the instance may spend, counted as its own `spent` is.
        package var allowance: Int64
        /// Up to where the engine has counted for it: what was in effect until now may be more.
        package var counted: Int64
        /// What nobody has drawn.
        package var remaining: Int64
        /// Of a budget: drawn and spent by all.
        package var used: Int64

        package init(allowance: Int64, counted: Int64, remaining: Int64, used: Int64) {
            self.allowance = allowance
            self.counted = counted
            self.remaining = remaining
            self.used = used
        }
    }

    /// The engine's clock: milliseconds since 1970. It never goes back while `began` stays.
    package var now: Int64
    /// When these leases began, by that clock. It changes when the engine was emptied or has begun anew.
    package var began: Int64
    /// Milliseconds for which the engine gives nothing yet; 0 or more.
    package var learningFor: Int64
    /// Instances with a lease, this one among them.
    package var members: Int
    package var board: Int64
    package var since: Int64
    /// There are more news than came.
    package var hasMoreNews: Bool
    /// As many as were asked for, in that order.
    package var shares: [Share]
    package var blocks: [Block]
    /// Encoded.
    package var news: [[UInt8]]

    package init(
        now: Int64, began: Int64, learningFor: Int64, members: Int, board: Int64, since: Int64, hasMoreNews: Bool,
        shares: [Share], blocks: [Block], news: [[UInt8]]
    ) {
        self.now = now
        self.began = began
        self.learningFor = learningFor
        self.members = members
        self.board = board
        self.since = since
        self.hasMoreNews = hasMoreNews
        self.shares = shares
        self.blocks = blocks
        self.news = news
    }

    package enum Reading: Equatable, Sendable {
        case reply(ExchangeReply)
        /// The engine has done a later exchange of this instance before. Nothing has changed.
        case overtaken
        /// No answer of this script to that request.
        case malformed
    }

    /// - Parameter request: what was asked; shares and blocks must be as many.
    package static func read(_ answer: RESP, to request: ExchangeRequest) -> Reading {
        guard let parts = answer.array else { return .malformed }
        if parts.count == 1, parts[0].integer == 1 { return .overtaken }
        guard parts.count == 11, parts[0].integer == 0 else { return .malformed }
        let numbers = parts[1...7].compactMap(\.integer)
        guard numbers.count == 7, numbers.allSatisfy({ $0 >= 0 }),
            let shares = parts[8].array?.compactMap(\.integer), shares.count == request.permits.count * 2,
            let blocks = parts[9].array?.compactMap(\.integer), blocks.count == request.meters.count * 4,
            let news = parts[10].array,
            shares.allSatisfy({ $0 >= 0 && $0 <= Int64(Int32.max) })
        else { return .malformed }
        return .reply(
            ExchangeReply(
                now: numbers[0], began: numbers[1], learningFor: numbers[2], members: Int(clamping: numbers[3]),
                board: numbers[4], since: numbers[5], hasMoreNews: numbers[6] != 0,
                shares: stride(from: 0, to: shares.count, by: 2).map {
                    Share(share: Int(shares[$0]), elsewhere: Int(shares[$0 + 1]))
                },
                blocks: stride(from: 0, to: blocks.count, by: 4).map {
                    Block(
                        allowance: blocks[$0], counted: blocks[$0 + 1], remaining: blocks[$0 + 2], used: blocks[$0 + 3])
                },
                news: news.compactMap(\.bytes)))
    }
}
