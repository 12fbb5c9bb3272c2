/// What has become of one request, for people: its row, its attempts, and what happened around them.
package struct RequestStory: Equatable, Sendable {
    package struct Attempt: Equatable, Sendable {
        /// From 1.
        package var number: Int
        /// Microseconds since 1970.
        package var at: Int64
        package var upstream: String
        package var model: String
        package var region: String?
        package var outcome: String
        package var status: Int64?
        package var opcRequestID: String?
        /// Microseconds from its beginning.
        package var firstToken: Int64?
        package var total: Int64
        package var usage = LedgerUsage()
        package var cost: NanoDollars?
        /// The upstreams that could have been asked, itself among them; nil when that is not known.
        package var candidates: String?

        package init(number: Int, at: Int64, upstream: String, model: String, outcome: String, total: Int64) {
            self.number = number
            self.at = at
            self.upstream = upstream
            self.model = model
            self.outcome = outcome
            self.total = total
        }
    }

    package var id: String
    /// Microseconds since 1970.
    package var at: Int64
    package var key: String
    package var dialect: String
    /// Its path, as the table of endpoints has it.
    package var endpoint: String
    package var model: String?
    package var servedModel: String?
    package var upstream: String?
    /// 0 while it runs.
    package var status: Int
    package var error: String?
    package var isStreaming = false
    /// Microseconds.
    package var wait: Int64 = 0
    package var firstToken: Int64?
    package var total: Int64 = 0
    package var usage = LedgerUsage()
    package var cost: NanoDollars?
    package var rescuedFrom: String?
    package var fallback: String?
    package var attempts: [Attempt] = []
    /// All that happened, in order, as a JSON list, in which an attempt is its number; nil when its attempts are all there is to tell.
    package var events: [UInt8]?

    package init(id: String, at: Int64, key: String, dialect: String, endpoint: String, status: Int) {
        self.id = id
        self.at = at
        self.key = key
        self.dialect = dialect
        self.endpoint = endpoint
        self.status = status
    }
}

extension EntryPage {
    package func story(_ row: EntryRow) -> RequestStory {
        var story = RequestStory(
            id: String(decoding: text(row.id), as: UTF8.self), at: row.at, key: name(row.key),
            dialect: name(row.dialect), endpoint: name(row.endpoint), status: row.status)
        story.model = name(ifAny: row.model)
        story.servedModel = name(ifAny: row.servedModel)
        story.upstream = name(ifAny: row.upstream)
        story.error = name(ifAny: row.error)
        story.isStreaming = row.isStreaming
        (story.wait, story.firstToken, story.total) = (row.wait, row.firstToken, row.total)
        (story.usage, story.cost) = (row.usage, row.cost)
        story.rescuedFrom = name(ifAny: row.rescuedFrom)
        story.fallback = name(ifAny: row.fallback)
        story.events = text(ifAny: row.story).map { Array($0) }
        story.attempts = row.attempts.map { index in
            let row = attempt(index)
            var attempt = RequestStory.Attempt(
                number: row.number, at: row.at, upstream: name(row.upstream), model: name(row.model),
                outcome: name(row.outcome), total: row.total)
            attempt.region = name(ifAny: row.region)
            attempt.status = row.status
            attempt.opcRequestID = text(ifAny: row.opcRequestID).map { String(decoding: $0, as: UTF8.self) }
            (attempt.firstToken, attempt.usage, attempt.cost) = (row.firstToken, row.usage, row.cost)
            attempt.candidates = name(ifAny: row.candidates)
            return attempt
        }
        return story
    }
}
