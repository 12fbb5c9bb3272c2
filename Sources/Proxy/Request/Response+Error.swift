import NIOHTTP1
import ProxyRouting

extension Response {
    /// An error in the OpenAI form, with the headers that belong to it.
    init(_ error: OpenAIError) {
        self = .json(error.body, status: HTTPResponseStatus(statusCode: error.status))
        if let seconds = error.retryAfter { headers.add(name: "retry-after", value: String(seconds)) }
        if let rate = error.rate { headers.add(contentsOf: rate.fields) }
        if error.forbidsRetry { headers.add(name: "x-should-retry", value: "false") }
        if error.status == 401 { headers.add(name: "www-authenticate", value: "Bearer") }
    }
}

extension RequestBucket.Standing {
    /// The header fields by which the OpenAI API tells a client how many requests it may still make. Durations are Go's there.
    var fields: [(String, String)] {
        let milliseconds = (fullIn + .microseconds(999)).milliseconds
        let (seconds, rest) = milliseconds.quotientAndRemainder(dividingBy: 1000)
        var decimals = rest == 0 ? "" : "." + String(1000 + rest).dropFirst()
        while decimals.last == "0" { decimals.removeLast() }
        return [
            ("x-ratelimit-limit-requests", String(limit)), ("x-ratelimit-remaining-requests", String(remaining)),
            ("x-ratelimit-reset-requests", seconds == 0 ? "\(rest)ms" : "\(seconds)\(decimals)s"),
        ]
    }
}
