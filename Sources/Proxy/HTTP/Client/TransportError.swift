/// Why no answer came, or only a part of one.
enum TransportError: Error, Equatable, Sendable {
    /// No connection: refused, unreachable, no such host. The request has not been sent.
    case cannotConnect(String)
    /// The connection was not ready in time. The request has not been sent.
    case connectTimeout
    /// TLS could not be agreed on, or the certificate does not hold.
    case tls(String)
    /// The connection broke before the head of an answer was there.
    case connectionLost(String)
    /// The answer broke off behind its head. The upstream can be reached, and has not finished this one.
    case answerCut(String)
    /// What came back is no HTTP.
    case malformedAnswer(String)
    /// The answer is larger than `max_response_size`.
    case tooLarge(limit: Int)

    static let closed = TransportError.connectionLost("the upstream closed the connection")
    static let headTooLarge = TransportError.malformedAnswer(
        "its head is larger than \(ResponseLimits.head / 1024) KiB")

    /// The same failure, met when the head of the answer was there.
    var afterHead: TransportError {
        switch self {
        case .connectionLost(let reason): .answerCut(reason)
        case .tls(let reason): .answerCut("TLS failed: \(reason)")
        case .answerCut, .cannotConnect, .connectTimeout, .malformedAnswer, .tooLarge: self
        }
    }
}

/// How much of an answer is taken before any of it can be handed on.
enum ResponseLimits {
    /// Bytes of the status line and all header fields.
    static let head = 64 << 10
    /// Header fields and trailers.
    static let fields = 256
}
