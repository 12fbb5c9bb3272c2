import Logging
import ProxyRouting

/// The one log line of a request. It names what an operator needs to find a problem, and nothing of what was said.
struct AccessRecord: Sendable {
    let id: String
    let method: String
    /// The path, without its query.
    let path: String
    /// The name of the client's key.
    var key: String?
    var account: String?
    /// The model as the client named it.
    var model: String?
    var isStreaming = false
    var status: Int?
    /// The code of the error that the client got.
    var error: String?
    /// From arrival to the first event of a stream.
    var firstToken: Duration?
    var usage: TokenUsage?
    /// Bytes of the request's body and of the answer's.
    var received = 0
    var sent = 0
    /// The model that answered in the place of the one that was asked for.
    var fallback: String?
    /// What became of the last attempt to go on with a broken answer.
    var rescue: String?
    /// Calls to upstreams.
    var attempts = 0
    var clientLeft = false

    init(id: String, method: String, target: String) {
        self.id = id
        self.method = method.cut(toBytes: 32)
        path = RequestTarget.withoutQuery(target).quotable
    }

    static let empty = AccessRecord(id: "", method: "", target: "")

    /// What has become of the request at upstreams.
    mutating func take(_ summary: RequestTrace.Summary, since arrival: Duration) {
        if let account = summary.account { self.account = account }
        attempts = summary.attempts
        fallback = summary.fallback
        rescue = summary.rescue
        usage = summary.usage
        firstToken = summary.firstEvent.map { $0 - arrival }
    }

    /// What the client got; 499 when it left before, as nginx writes it.
    var finalStatus: Int { clientLeft ? 499 : status ?? 0 }

    func log(to logger: Logger, duration: Duration) {
        guard logger.logLevel <= .info else { return }
        logger.log(.info, "request", sorted: pairs(duration: duration))
    }

    /// What the line says, by key in ascending order.
    func pairs(duration: Duration) -> [(String, String)] {
        var pairs: [(String, String)] = []
        pairs.reserveCapacity(16)
        if let account { pairs.append(("account", account)) }
        if attempts > 0 { pairs.append(("attempts", String(attempts))) }
        pairs.append(("bytes.in", String(received)))
        pairs.append(("bytes.out", String(sent)))
        if let error { pairs.append(("error", error)) }
        if let fallback { pairs.append(("fallback", fallback.quotable)) }
        if let rescue { pairs.append(("rescue", rescue.quotable)) }
        if let firstToken { pairs.append(("first_token_ms", String(firstToken.milliseconds))) }
        if let key { pairs.append(("key", key)) }
        pairs.append(("method", method))
        if let model { pairs.append(("model", model.quotable)) }
        pairs.append(("ms", String(duration.milliseconds)))
        pairs.append(("path", path))
        pairs.append(("request.id", id))
        pairs.append(("status", String(finalStatus)))
        if let usage {
            pairs.append(("tokens.in", String(usage.prompt)))
            pairs.append(("tokens.out", String(usage.completion)))
        }
        return pairs
    }
}
