/// One request of a client in an `EntryPage`. It holds nothing of what was said, and no reference: rows are moved and let go of as plain memory.
///
/// Texts are places in its page, or `none` where there is none.
package struct EntryRow: Sendable {
    /// `x-request-id`.
    package var id: EntryPage.Bytes
    /// When it arrived, in microseconds since 1970.
    package var at: Int64
    /// The name of the client's key.
    package var key: EntryPage.Name
    /// `chat`, `responses`, `messages`, `completions`, `embeddings`, `rerank`, `images`, `audio` or `moderations`.
    package var dialect: EntryPage.Name
    /// The path's label.
    package var endpoint: EntryPage.Name
    /// As the client named it; nil when the request was refused before it was read.
    package var model = EntryPage.Name.none
    /// The id of the model that answered, at its upstream.
    package var servedModel = EntryPage.Name.none
    /// Who answered.
    package var upstream = EntryPage.Name.none
    /// What the client got; 499 when it left before.
    package var status: Int
    /// The code of the error that the client got.
    package var error = EntryPage.Name.none
    package var isStreaming = false
    /// Microseconds in the queue.
    package var wait: Int64 = 0
    /// Microseconds from arrival to the first event of a stream.
    @Known package var firstToken: Int64? = nil
    /// Microseconds from arrival to the end.
    package var total: Int64 = 0
    /// What all of its attempts used together, which is what its key is charged with.
    package var usage = LedgerUsage()
    /// What all of its attempts cost together; nil when one of them that used tokens has no known cost.
    @Known package var cost: NanoDollars? = nil
    /// The upstream whose broken answer another one went on with.
    package var rescuedFrom = EntryPage.Name.none
    /// The model that answered in the place of the one that was asked for.
    package var fallback = EntryPage.Name.none
    /// What happened besides its attempts, as `RequestStory.events` has it.
    package var story = EntryPage.Bytes.none
    /// What the budgets of the key were charged with. Estimated where `usage` or `cost` are unknown.
    package var chargedTokens: Int64 = 0
    package var chargedCost: NanoDollars = 0
    /// Where its attempts stand, in the order in which they began.
    package internal(set) var attempts: Range<Int> = 0..<0

    package init(
        id: EntryPage.Bytes, at: Int64, key: EntryPage.Name, dialect: EntryPage.Name, endpoint: EntryPage.Name,
        status: Int
    ) {
        self.id = id
        self.at = at
        self.key = key
        self.dialect = dialect
        self.endpoint = endpoint
        self.status = status
    }
}

/// One call to an upstream: failed, abandoned and rescued ones too.
package struct AttemptRow: Sendable {
    /// From 1, in the order in which a request's attempts began.
    package var number: Int
    /// Microseconds since 1970.
    package var at: Int64
    /// The account's or provider's id.
    package var upstream: EntryPage.Name
    /// The model's id there.
    package var model: EntryPage.Name
    /// The model's id is in a catalogue or in the configuration. Else it may be something that the client made up, and counts as a name only
    /// when an upstream answers by it.
    package var isModelListed = false
    /// Of an account.
    package var region = EntryPage.Name.none
    /// The names of the upstreams that could have been asked, itself among them.
    package var candidates = EntryPage.Name.none
    /// One of a few words: `succeeded`, `abandoned`, `rate_limited`, ...
    package var outcome: EntryPage.Name
    /// The upstream's HTTP status, when it answered.
    @Known package var status: Int64? = nil
    /// Oracle's id of the call, for its support.
    package var opcRequestID = EntryPage.Bytes.none
    /// Microseconds from its beginning to the first event of a stream.
    @Known package var firstToken: Int64? = nil
    /// Microseconds from its beginning to its end.
    package var total: Int64 = 0
    package var usage = LedgerUsage()
    /// By the price at that time; nil when tokens or price are not known.
    @Known package var cost: NanoDollars? = nil

    package init(
        number: Int, at: Int64, upstream: EntryPage.Name, model: EntryPage.Name, outcome: EntryPage.Name
    ) {
        self.number = number
        self.at = at
        self.upstream = upstream
        self.model = model
        self.outcome = outcome
    }
}
