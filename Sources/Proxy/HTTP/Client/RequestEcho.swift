import NIOHTTP1
import Synchronization

/// What a request carries by which its answer can be told from another's. HTTP/1.1 itself has nothing of the kind: an answer belongs to a request
/// by its place on the connection, and a service that answers one twice shifts all that follow.
struct RequestEcho: Sendable {
    /// Sent as `opc-request-id`. OCI puts segments of its own behind it.
    let id: String
    private let habit: EchoHabit

    /// - Parameter habit: of the service that is asked.
    init(to habit: EchoHabit, id: String = RandomName().hex) {
        self.id = id
        self.habit = habit
    }

    static let field = "opc-request-id"

    /// Whether this is the head of somebody else's answer: it names another request, where this service names ours.
    ///
    /// A gateway's refusal may name none or one of its own, so only successes count.
    func isContradicted(by head: ResponseHead) -> Bool {
        guard (200..<300).contains(head.status), let named = head.headers.first(name: Self.field) else { return false }
        let isOurs =
            named.utf8.starts(with: id.utf8)
            && (named.utf8.count == id.utf8.count || named.utf8.dropFirst(id.utf8.count).first == UInt8(ascii: "/"))
        if isOurs { habit.note() }
        return !isOurs && habit.isKnown
    }
}

/// Whether a service repeats the ids of requests. Until it has done so once, another id in its answer means nothing.
final class EchoHabit: Sendable {
    private let known = Atomic(false)

    var isKnown: Bool { known.load(ordering: .relaxed) }

    func note() {
        if !isKnown { known.store(true, ordering: .relaxed) }
    }
}
