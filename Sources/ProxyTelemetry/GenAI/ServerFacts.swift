/// What is known of a client's request when it has ended. What was said in it is none of it.
package struct ServerFacts: Hashable, Sendable {
    /// `POST`, as the client wrote it.
    package var method: String
    /// Of the routes there are: `/v1/responses/{id}`; nil when no route was found.
    package var route: String?
    /// Without a query; nil to say no more than the route does.
    package var path: String?
    /// `http` or `https`, as the client came.
    package var scheme: String?
    /// Of the answer; nil when there was none.
    package var status: Int?
    /// A class of error, as the answer's `code`; nil when all went well. With a status below 400 the answer broke off.
    package var errorType: String?
    /// The client went away before the end, which is nobody's error.
    package var clientLeft = false
    /// `x-request-id`.
    package var requestID: String?
    /// The name of the client's key, never the key.
    package var keyName: String?
    /// As the client wrote it.
    package var modelAsked: String?
    /// The API that the client speaks: `openai.chat`, `openai.responses`, `anthropic.messages`.
    package var dialect: String?
    package var operation: GenAIOperation?
    package var stream: Bool?
    /// Attempts that were made.
    package var attempts: Int?
    /// Times in which no upstream was free, in their order.
    package var waits: [Wait] = []
    /// Upstreams that were not asked, in their order.
    package var passedOver: [PassedOver] = []
    /// When another upstream went on with a broken answer.
    package var rescues: [Rescue] = []
    /// The model that answered in place of the one asked for.
    package var fallbackModel: String?
    /// Nanoseconds since 1970.
    package var start: UInt64
    /// The same.
    package var end: UInt64

    package init(method: String, route: String?, start: UInt64, end: UInt64) {
        self.method = method
        self.route = route
        self.start = start
        self.end = end
    }

    package struct Wait: Hashable, Sendable {
        /// Nanoseconds since 1970.
        package var start: UInt64
        package var duration: Duration

        package init(start: UInt64, duration: Duration) {
            self.start = start
            self.duration = duration
        }
    }

    package struct PassedOver: Hashable, Sendable {
        package var upstream: String
        /// One of a few words: `cooling`, `busy`, `open`.
        package var reason: String
        /// Nanoseconds since 1970; nil is the beginning of the request.
        package var time: UInt64?

        package init(upstream: String, reason: String, time: UInt64? = nil) {
            self.upstream = upstream
            self.reason = reason
            self.time = time
        }
    }

    package struct Rescue: Hashable, Sendable {
        /// Nanoseconds since 1970.
        package var time: UInt64
        /// Who broke off, and who went on.
        package var from: String?
        package var to: String?

        package init(time: UInt64, from: String? = nil, to: String? = nil) {
            self.time = time
            self.from = from
            self.to = to
        }
    }
}
