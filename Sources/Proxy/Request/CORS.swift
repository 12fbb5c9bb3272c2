import NIOHTTP1

/// What web pages of other origins are told (the Fetch standard's CORS protocol).
struct CORS: Sendable {
    /// `*`, or the origins that may read answers.
    let origins: [String]

    /// What a page's script may read of our headers.
    private static let exposed =
        "x-request-id, retry-after, x-should-retry, x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests, "
        + "x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens, x-ociai-budget, x-ociai-route"

    private var allowsEveryone: Bool { origins.contains("*") }

    /// Adds what an actual answer carries, errors and streams included: a page that may not read an error shows its user
    /// nothing but "network error".
    func decorate(_ fields: inout [(String, String)], for origin: String?) {
        if allowsEveryone {
            fields.append(("access-control-allow-origin", "*"))
        } else {
            fields.append(("vary", "origin"))
            guard let origin, origins.contains(where: { $0.lowercased() == origin.lowercased() }) else { return }
            fields.append(("access-control-allow-origin", origin))
        }
        fields.append(("access-control-expose-headers", Self.exposed))
    }

    /// The answer to a preflight: the asked method and headers, for a day.
    func preflight(_ head: HTTPRequestHead) -> Response {
        var answer = Response(status: .noContent)
        let method = head.headers.first(name: "access-control-request-method") ?? "GET, POST, OPTIONS"
        answer.headers.add(name: "access-control-allow-methods", value: method)
        if let asked = head.headers.first(name: "access-control-request-headers") {
            // What changes things with an operator's cookie is for pages of this address alone.
            let allowed = asked.split(separator: ",").filter {
                !String($0.trimmingBlanks()).isEqualIgnoringCase(to: "x-ociai-dashboard")
            }
            if !allowed.isEmpty {
                answer.headers.add(name: "access-control-allow-headers", value: allowed.joined(separator: ","))
            }
        }
        answer.headers.add(name: "access-control-max-age", value: "86400")
        answer.headers.add(name: "vary", value: "access-control-request-method, access-control-request-headers")
        return answer
    }
}
