/// A way in which an upstream speaks otherwise than the API that it claims to have, and which the proxy has made good. Operators should know, for the upstream could
/// be told; there are only these few, so that they can be counted.
package enum Oddity: UInt8, CaseIterable, Sendable {
    /// More came behind a finish reason.
    case goesOn
    /// Tool calls without numbers or ids, or with those of others.
    case calls
    /// An error under a status of success, in the middle of a stream.
    case lateError
    /// An error under a status of success, in place of a whole answer.
    case errorAsAnswer
    /// A stream in place of a document, or the reverse.
    case otherKind
    /// Events that are no JSON.
    case unreadableEvents
    /// A stream that ends without `[DONE]`.
    case noEnd
    /// An answer inside another object.
    case wrapped

    /// Its name in the metrics.
    package var name: String {
        switch self {
        case .goesOn: "continues_after_finish"
        case .calls: "tool_calls_unclear"
        case .lateError: "error_in_stream"
        case .errorAsAnswer: "error_as_answer"
        case .otherKind: "other_kind"
        case .unreadableEvents: "unreadable_events"
        case .noEnd: "no_done"
        case .wrapped: "wrapped_answer"
        }
    }

    /// What it does, for whoever runs it.
    package var words: String {
        switch self {
        case .goesOn: "it sends data after a finish_reason; the last finish_reason is used"
        case .calls: "its tool calls have missing or duplicate indexes or ids; they were repaired"
        case .lateError: "it reports an error inside a stream that began with a success status"
        case .errorAsAnswer: "it reports errors with a success status; they are handled as errors"
        case .otherKind: "it sends a stream where a document was requested, or the reverse; the response was converted"
        case .unreadableEvents: "events of its streams are not JSON; they were skipped"
        case .noEnd: "its streams end without [DONE]; [DONE] was added"
        case .wrapped: "its responses are wrapped in another object; they were unwrapped"
        }
    }
}

/// Some of them.
package struct Oddities: OptionSet, Sendable {
    package let rawValue: UInt8

    /// Empty. As a literal, `[]` goes through generic code that another module cannot specialise.
    package init() { rawValue = 0 }
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    package init(_ oddity: Oddity) { rawValue = 1 << oddity.rawValue }

    package func contains(_ oddity: Oddity) -> Bool { rawValue & 1 << oddity.rawValue != 0 }
    package mutating func insert(_ oddity: Oddity) { formUnion(Oddities(oddity)) }

    package var each: [Oddity] { Oddity.allCases.filter { contains($0) } }
}
