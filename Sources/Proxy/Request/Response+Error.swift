import NIOHTTP1
import ProxyRouting

extension Response {
    /// An error in the OpenAI form, with the headers that belong to it.
    init(_ error: OpenAIError) {
        self = .json(error.body, status: HTTPResponseStatus(statusCode: error.status))
        headers.add(contentsOf: error.headers)
    }
}

extension OpenAIError {
    /// Those that belong to it.
    var headers: [(String, String)] {
        var headers: [(String, String)] = []
        if let retryAfter { headers.append(("retry-after", String(retryAfter))) }
        if let rate { headers += rate.fields }
        if forbidsRetry { headers.append(("x-should-retry", "false")) }
        if status == 401 { headers.append(("www-authenticate", "Bearer")) }
        return headers
    }
}

extension RequestBucket.Standing {
    /// The header fields by which the OpenAI API tells a client how many requests it may still make.
    var fields: [(String, String)] {
        RateFields.of("requests", limit: limit, remaining: remaining, fullIn: fullIn)
    }
}

/// The header fields by which that API tells how a limit of a minute stands.
enum RateFields {
    static func of(_ what: String, limit: Int, remaining: Int, fullIn: Duration) -> [(String, String)] {
        [
            ("x-ratelimit-limit-\(what)", String(limit)), ("x-ratelimit-remaining-\(what)", String(remaining)),
            ("x-ratelimit-reset-\(what)", fullIn.asGoDuration),
        ]
    }
}

extension Duration {
    /// As that API writes them: `1.5s`, `20ms`.
    var asGoDuration: String {
        let milliseconds = (self + .microseconds(999)).milliseconds
        let (seconds, rest) = milliseconds.quotientAndRemainder(dividingBy: 1000)
        var decimals = rest == 0 ? "" : "." + String(1000 + rest).dropFirst()
        while decimals.last == "0" { decimals.removeLast() }
        return seconds == 0 ? "\(rest)ms" : "\(seconds)\(decimals)s"
    }
}
