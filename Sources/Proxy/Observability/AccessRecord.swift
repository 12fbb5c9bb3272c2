import Logging

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
    /// Calls to upstreams.
    var attempts = 0
    var clientLeft = false

    init(id: String, method: String, target: String) {
        self.id = id
        self.method = method.utf8.count <= 32 ? method : String(method.prefix(32))
        let end = target.utf8.firstIndex(of: UInt8(ascii: "?")) ?? target.endIndex
        path = target.utf8.count <= 200 ? String(target[..<end]) : String(target[..<end].prefix(200))
    }

    /// A call to an upstream begins.
    mutating func begin(at account: String) {
        self.account = account
        attempts += 1
    }

    /// What the last call has told, or has told until now.
    mutating func note(_ report: AttemptReport.Content, since arrival: Duration) {
        usage = report.usage
        firstToken = report.firstEvent.map { $0 - arrival }
    }

    /// What the client got; 499 when it left before, as nginx writes it.
    var finalStatus: Int { clientLeft ? 499 : status ?? 0 }

    func log(to logger: Logger, duration: Duration) {
        guard logger.logLevel <= .info else { return }
        var metadata: Logger.Metadata = [
            "request.id": "\(id)", "method": "\(method)", "path": "\(path)",
            "status": "\(finalStatus)", "ms": "\(duration.milliseconds)",
        ]
        metadata["key"] = key.map { "\($0)" }
        metadata["account"] = account.map { "\($0)" }
        metadata["model"] = model.map { "\($0.prefix(200))" }
        metadata["error"] = error.map { "\($0)" }
        metadata["first_token_ms"] = firstToken.map { "\($0.milliseconds)" }
        metadata["tokens.in"] = usage.map { "\($0.prompt)" }
        metadata["tokens.out"] = usage.map { "\($0.completion)" }
        metadata["bytes.in"] = "\(received)"
        metadata["bytes.out"] = "\(sent)"
        metadata["fallback"] = fallback.map { "\($0.prefix(200))" }
        if attempts > 0 { metadata["attempts"] = "\(attempts)" }
        logger.info("request", metadata: metadata)
    }
}

extension Duration {
    /// Whole milliseconds, rounded down.
    var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
