/// What a connection has to do to answer one request.
package struct ReplyScript: Sendable {
    /// What follows the last scripted byte.
    package enum Ending: Sendable, Equatable {
        /// The proper end of the body.
        case complete
        /// The connection is closed.
        case close
        /// RST.
        case reset
        /// Nothing, ever.
        case stall
    }

    package struct Chunk: Sendable {
        package var bytes: [UInt8]
        /// Kept apart from the one before by `interval`.
        package var isPaced: Bool
        /// Waited before it, whatever the interval.
        package var delay = Duration.zero
    }

    package enum Form: Sendable {
        /// One body of known length; `cutTo` bytes of it are sent when that is set.
        case whole(body: [UInt8], cutTo: Int?)
        case stream([Chunk], firstEventDelay: Duration, interval: Duration)
        /// No byte at all.
        case nothing
    }

    package var status = 200
    package var headers: [(name: String, value: String)] = []
    package var form: Form
    package var ending = Ending.complete
    /// Before the first byte.
    package var delay = Duration.zero

    package static func json(_ status: Int, _ body: JSON) -> ReplyScript {
        ReplyScript(
            status: status, headers: [("content-type", "application/json")], form: .whole(body: body.bytes, cutTo: nil))
    }

    package static func error(_ error: ServiceError) -> ReplyScript { json(error.status, error.body) }
}
