package import ProxyAccounting

/// One call to an upstream, as tests make it up and look at it.
package struct LedgerAttempt: Equatable, Sendable {
    /// From 1, in the order in which a request's attempts began.
    package var number: Int
    /// Microseconds since 1970.
    package var at: Int64
    /// The account's or provider's id.
    package var upstream: String
    /// The model's id there.
    package var model: String
    /// The model's id is in a catalogue or in the configuration. Else it may be something that the client made up, and counts as a name only
    /// when an upstream answers by it.
    package var isModelListed: Bool
    /// Of an account.
    package var region: String?
    /// One of a few words: `succeeded`, `abandoned`, `rate_limited`, ...
    package var outcome: String
    /// The upstream's HTTP status, when it answered.
    package var status: Int?
    /// Oracle's id of the call, for its support.
    package var opcRequestID: String?
    /// Microseconds from its beginning to the first event of a stream.
    package var firstToken: Int64?
    /// Microseconds from its beginning to its end.
    package var total: Int64
    package var usage: LedgerUsage
    /// By the price at that time; nil when tokens or price are not known.
    package var cost: NanoDollars?

    package init(
        number: Int, at: Int64, upstream: String, model: String, isModelListed: Bool = false, region: String? = nil,
        outcome: String, status: Int? = nil, opcRequestID: String? = nil, firstToken: Int64? = nil, total: Int64,
        usage: LedgerUsage = LedgerUsage(), cost: NanoDollars? = nil
    ) {
        self.number = number
        self.at = at
        self.upstream = upstream
        self.model = model
        self.isModelListed = isModelListed
        self.region = region
        self.outcome = outcome
        self.status = status
        self.opcRequestID = opcRequestID
        self.firstToken = firstToken
        self.total = total
        self.usage = usage
        self.cost = cost
    }
}

/// One request of a client, with its attempts, as tests make it up and look at it. Between the proxy and the ledger it is a row of an `EntryPage`.
package struct LedgerEntry: Equatable, Sendable {
    /// `x-request-id`.
    package var id: String
    /// When it arrived, in microseconds since 1970.
    package var at: Int64
    /// The name of the client's key.
    package var key: String
    /// `chat`, `responses`, `messages`, `completions`, `embeddings`, `rerank`, `images`, `audio` or `moderations`.
    package var dialect: String
    /// The path's label.
    package var endpoint: String
    /// As the client named it; nil when the request was refused before it was read.
    package var model: String?
    /// The id of the model that answered, at its upstream.
    package var servedModel: String?
    /// Who answered.
    package var upstream: String?
    /// What the client got; 499 when it left before.
    package var status: Int
    /// The code of the error that the client got.
    package var error: String?
    package var isStreaming = false
    /// Microseconds in the queue.
    package var wait: Int64 = 0
    /// Microseconds from arrival to the first event of a stream.
    package var firstToken: Int64?
    /// Microseconds from arrival to the end.
    package var total: Int64 = 0
    /// What all of its attempts used together, which is what its key is charged with.
    package var usage = LedgerUsage()
    /// What all of its attempts cost together; nil when one of them that used tokens has no known cost.
    package var cost: NanoDollars?
    /// The upstream whose broken answer another one went on with.
    package var rescuedFrom: String?
    /// The model that answered in the place of the one that was asked for.
    package var fallback: String?
    package var attempts: [LedgerAttempt] = []
    /// What the budgets of the key were charged with. Estimated where `usage` or `cost` are unknown.
    package var chargedTokens: Int64 = 0
    package var chargedCost: NanoDollars = 0

    package init(id: String, at: Int64, key: String, dialect: String, endpoint: String, status: Int) {
        self.id = id
        self.at = at
        self.key = key
        self.dialect = dialect
        self.endpoint = endpoint
        self.status = status
    }
}
