import NIOHTTP1
import ProxyAccounting
import ProxyRouting

extension Failure {
    static let notHTTP = Failure.invalidRequest(
        "Invalid HTTP/1.1 request: the head is malformed or too large, or the length of the body is ambiguous. "
            + "Send one host header, and either content-length or chunked transfer-encoding, once.",
        field: nil, as: .http)

    static func bodyTooLarge(limit: Int) -> Failure {
        Failure(
            .unacceptable(.bodyTooLarge),
            "The request body is larger than \(limit) bytes, the limit of this proxy. Send less, or ask the operator to raise max_request_size."
        )
    }

    static func packedBody(_ coding: String) -> Failure {
        Failure(
            .unacceptable(.contentEncoding),
            "The request body has content-encoding \(coding.quotable), which is not supported. Send it without content-encoding."
        )
    }

    /// The memory for bodies is taken by others.
    static func bodiesTooLarge(limit: Int) -> Failure {
        Failure(
            .overloaded(.bodyMemory),
            "The memory for request bodies, \(ByteSize.format(limit)), is in use by other requests. Try again in a moment. "
                + "The operator sets max_body_memory in the config file.", retryAfter: 1)
    }

    /// The key has as many requests under way as it may have.
    static func tooManyAtOnce(_ caller: Caller, limit: Int) -> Failure {
        let mend =
            caller.limits.maxConcurrency == nil
            ? "The operator sets max_concurrency_per_key in the config file."
            : caller.mend("max_concurrency", "-max-concurrency N")
        return Failure(
            .concurrencyLimited,
            "This API key has \(limit) requests in progress or waiting, which is its limit. Try again when one has finished. "
                + mend, retryAfter: 1)
    }

    static let bodyTimedOut = Failure(
        .unacceptable(.bodyTimedOut),
        "Timed out while reading the request body; the connection is closed. Send the request again.")

    /// - Parameter isForClients: the address serves what clients need, and no list of it.
    static func unknownPath(_ path: String, isForClients: Bool = false) -> Failure {
        Failure(
            .notFound(.path),
            isForClients
                ? "Unknown path \(path.quotable). This address serves the model endpoints under /v1, /v1/models, /v1/usage and /health; the operator's endpoints and their list are at the address that admin_listen names."
                : "Unknown path \(path.quotable). GET / lists the endpoints.")
    }

    static let targetTooLong = Failure(
        .unacceptable(.targetTooLong),
        "The request target is longer than \(RequestTarget.longest) bytes, the limit of this proxy.")

    static func methodNotAllowed(_ method: HTTPMethod, allowed: [HTTPMethod]) -> Failure {
        Failure(
            .unacceptable(.method),
            "\(method.rawValue.cut(toBytes: 32)) is not allowed for this path; use \(allowed.map(\.rawValue).joined(separator: " or "))."
        )
    }

    static let noKey = Failure(
        .unauthorized,
        "No API key was sent. Send one of the proxy's keys as 'Authorization: Bearer KEY' (or x-api-key, or api-key). The operator finds it as api_key in the config file, or makes one with ociai-proxy key create."
    )

    static let wrongKey = Failure(
        .unauthorized,
        "The API key is not one of this proxy's keys. The operator finds them as api_key in the config file; ociai-proxy key list shows those that are managed, and revoked ones."
    )

    /// - Parameter expiry: seconds since 1970.
    static func expiredKey(_ caller: Caller, at expiry: Int64) -> Failure {
        Failure(
            .unauthorized,
            "The API key \(caller.name.quotable) expired at \(RFC3339.format(expiry)). \(caller.mend("expires", "-expires TIME"))"
        )
    }

    static func roleTooSmall(_ caller: Caller, for endpoint: Endpoint) -> Failure {
        Failure(
            .forbidden(.role),
            "\(endpoint.title) requires the role \(endpoint.access.role.rawValue), and the API key \(caller.name.quotable) has the role \(caller.limits.role.rawValue). "
                + caller.mend("role = \(endpoint.access.role.rawValue)", "-role \(endpoint.access.role.rawValue)")
        )
    }

    static func notLocal(_ reason: String) -> Failure {
        Failure(
            .unauthorized,
            "This endpoint requires an API key. The request does not count as local: \(reason). Send 'Authorization: Bearer KEY'."
        )
    }

    /// The key has used up its requests of this minute.
    static func rateLimited(_ caller: Caller, _ standing: RequestBucket.Standing) -> Failure {
        let wait = standing.refusedFor ?? .zero
        let seconds = Int(wait.components.seconds) + (wait.components.attoseconds > 0 ? 1 : 0)
        let mend =
            caller.limits.requestsPerMinute == nil
            ? "The operator sets rate_limit in the config file." : caller.mend("rpm", "-rpm N")
        return Failure(
            .rateLimited(standing),
            "Rate limit reached for this API key: \(standing.limit) requests per minute. Try again in \(seconds) s. \(mend)",
            retryAfter: max(seconds, 1))
    }
}

extension Failure {
    /// What a connection refuses by itself.
    static func of(_ fault: RequestFault) -> Failure {
        switch fault {
        case .bodyTooLarge(let limit): .bodyTooLarge(limit: limit)
        case .bodyTimedOut: .bodyTimedOut
        case .malformed: .notHTTP
        case .shuttingDown: .shuttingDown
        case .plainText:
            .invalidRequest("This port requires TLS: use https:// in the base URL.", field: nil, as: .tlsRequired)
        }
    }
}
