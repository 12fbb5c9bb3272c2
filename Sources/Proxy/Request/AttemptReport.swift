import NIOHTTP1
import ProxyRouting
import ProxyTelemetry
import Synchronization

/// What an attempt has to tell besides its result, gathered while it runs so that a failure or a departing client does not
/// lose it.
final class AttemptReport: Sendable {
    /// What is called, for the books.
    struct Call: Sendable {
        /// Its id.
        var upstream = ""
        /// The model's id there.
        var model = ""
        var pricing: Pricing?
        var region: String?
        /// The first 64 upstreams that could have been asked, one a bit.
        var candidates: UInt64 = 0
        /// Its span; nil where nobody traces.
        var traced: TracedAttempt?
        /// What it may use, where somebody counts.
        var estimate = CallEstimate.none
    }

    struct Content: Sendable {
        var usage: TokenUsage?
        /// Of the upstream's answer.
        var status: Int?
        /// All of the request has been written to the upstream's socket.
        var wasSent = false
        /// Oracle's name of the call.
        var opcRequestID: String?
        /// How much has been told, of a stream.
        var told = TextMeter()
        /// When the first event came. From then on the client has seen a part of this answer, and no other can take its place.
        var firstEvent: Duration?
        /// Events of the upstream that could not be read and were passed over.
        var unreadableEvents = 0
        /// What the upstream has said oddly.
        var oddities = Oddities()
        /// The calls of the same attempt before the last one, as far as they may be charged: with their usage, and what they have told.
        private(set) var earlier: [Content] = []

        /// What all calls of the attempt have used, as far as it has been told.
        var allUsage: TokenUsage? {
            earlier.isEmpty
                ? usage : earlier.compactMap(\.usage).reduce(usage) { sum, more in sum.map { $0 + more } ?? more }
        }

        /// Begins another call.
        fileprivate mutating func beginAnew() {
            if mayBeCharged(after: .failed) {
                var call = self
                call.earlier = []
                earlier.append(call)
            }
            (usage, told, status, wasSent) = (nil, TextMeter(), nil, false)
        }

        /// Whether the upstream may charge for the call: it has counted tokens or begun an answer, or it had the whole request and was left while it was at
        /// work. A connection that is refused or breaks before there is a status costs nothing, and neither does a refusal.
        func mayBeCharged(after outcome: AttemptOutcome) -> Bool {
            if usage != nil { return true }
            if let status { return (200..<300).contains(status) }
            guard wasSent else { return false }
            switch outcome {
            case .succeeded, .abandoned, .interrupted, .timedOut, .outOfTime: return true
            case .refused, .promptTooLong, .modelNotAllowed, .modelUnavailable, .failed, .unavailable, .rateLimited,
                .unreachable, .brokenOff, .connectTimedOut, .credentialsRefused, .credentialsDoubted,
                .accountExhausted, .accountDoubted:
                return false
            }
        }

        /// Some call of the attempt may be charged, and nobody has told what it has used.
        func lacksUsage(after outcome: AttemptOutcome) -> Bool {
            if usage == nil, mayBeCharged(after: outcome) { return true }
            return !earlier.isEmpty && earlier.contains { $0.usage == nil }
        }

        /// Whether it may have been charged for, and nobody has waited for the end of its answer.
        func wasLeft(after outcome: AttemptOutcome) -> Bool {
            [.abandoned, .timedOut, .outOfTime].contains(outcome) && mayBeCharged(after: outcome)
        }
    }

    let call: Call
    private let state = Mutex(Content())
    private let madeOut = Mutex<UsageEstimate?>(nil)
    private let retirement = Mutex<String?>(nil)

    /// What the upstream has said of the model, when that will go.
    var retirementInfo: String? { retirement.withLock { $0 } }

    init(_ call: Call = Call()) { self.call = call }

    var content: Content { state.withLock { $0 } }

    /// Looks at it where it is: a copy is dear.
    func read(_ look: (borrowing Content) -> Void) { state.withLock { look($0) } }

    /// Reads a whole answer of so many bytes where that belongs (`LargeWork`), and takes note when it is an error.
    nonisolated(nonsending) func reading<Success>(_ bytes: Int, _ read: () throws -> Success) async throws -> Success {
        do { return try await LargeWork.run(on: bytes, read) } catch let error as Failure {
            if error.isUnderSuccess { change { $0.oddities.insert(.errorAsAnswer) } }
            throw error
        }
    }

    /// The same attempt makes another call: what is known of the last one's answer does not hold, but what it has cost is charged.
    func beginAnew() { change { $0.beginAnew() } }

    /// What the call may have used, when nobody has told it.
    var estimate: UsageEstimate { madeOut.withLock { $0 } ?? call.estimate.value }

    /// Makes it out, which may mean to read a chat again, as long as nobody waits for that. The books are written under locks.
    func makeOutEstimate() {
        guard case .chat = call.estimate else { return }
        let estimate = call.estimate.value
        madeOut.withLock { $0 = estimate }
    }

    func change(_ body: (inout Content) -> Void) {
        state.withLock { body(&$0) }
    }

    /// An answer has come, be it a refusal.
    func note(_ response: TransportResponse, isOfOCI: Bool) {
        let name = isOfOCI ? response.opcRequestID : nil
        change { ($0.status, $0.opcRequestID) = (response.status, name) }
        if isOfOCI, let words = response.retirementInfo { retirement.withLock { $0 = words } }
    }
}

extension AttemptReport: RequestObserver {
    func wasWritten(_ isWhole: Bool) { change { $0.wasSent = isWhole } }

    /// A request of the attempt, which is watched where its call is in the books.
    func watching(_ request: consuming TransportRequest) -> TransportRequest {
        if !call.estimate.isNone { request.observer = self }
        if let context = call.traced?.header {
            request.headers.replaceOrAdd(name: "traceparent", value: context.traceparent)
            if let state = context.state { request.headers.replaceOrAdd(name: "tracestate", value: state) }
            // It differs from the others' heads.
            request.known = nil
        }
        return request
    }
}
