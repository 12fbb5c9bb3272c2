/// When a silent stream has to reassure its client, and how.
///
/// Clients, load balancers and NAT give up on a connection that says nothing: some after 60 s without headers, most
/// after 120 to 300 s without bytes, and a few count only parsed events and ignore comments. Hence three steps: the
/// headers after the first interval, a comment for each further one, and an event with an empty delta when no event has
/// been sent for a minute. Times are since the request began to wait; no clock in here.
struct KeepAliveSchedule {
    /// After this long without an event, an empty event takes the place of the comment.
    static let emptyEventAfter = Duration.seconds(60)

    /// What most readers of event streams take for a sign of life.
    static let comment = Array(": keep-alive\n\n".utf8)

    enum Reassurance: Equatable, Sendable {
        /// Send the headers: the upstream has neither answered nor refused yet.
        case headers
        /// Send the comment `: keep-alive`.
        case comment
        /// Send an event with an empty delta.
        case emptyEvent
    }

    private let interval: Duration
    private var lastByte: Duration
    private var lastEvent: Duration
    private(set) var hasHeaders = false

    /// - Parameter interval: the silence after which the client is reassured; zero is never.
    init(interval: Duration, at now: Duration) {
        self.interval = interval
        lastByte = now
        lastEvent = now
    }

    /// Whether `wake` has to be called at all.
    var isOn: Bool { interval > .zero }

    /// When to call `wake` next.
    var due: Duration { lastByte + interval }

    /// Events (and the headers, with the first of them) have been sent.
    mutating func sentEvents(at now: Duration) {
        hasHeaders = true
        lastByte = now
        lastEvent = now
    }

    /// Time has passed: says what to send, if anything is due.
    mutating func wake(at now: Duration) -> Reassurance? {
        guard isOn, now >= due else { return nil }
        lastByte = now
        guard hasHeaders else {
            hasHeaders = true
            return .headers
        }
        guard now - lastEvent >= Self.emptyEventAfter else { return .comment }
        lastEvent = now
        return .emptyEvent
    }
}
