/// One request as the simulator saw it, and how it ended.
package struct RequestRecord: Sendable {
    package enum Ending: String, Sendable {
        /// The whole answer was written.
        case completed
        /// The client hung up first.
        case clientClosed
        /// The simulator hung up, as a fault or `stop` wanted it.
        case cut
        /// The same with RST.
        case reset
    }

    /// Counts from 1, in the order of arrival.
    package let id: Int
    /// When the last byte of the request was read.
    package let arrived: ContinuousClock.Instant
    /// The same in seconds since 1970.
    package let arrivedAt: Double
    package let method: String
    /// Path and query.
    package let target: String
    package let headers: [(name: String, value: String)]
    package let body: [UInt8]
    /// The account whose key signed it, or, when the signature was refused, the one that it claims; on the
    /// OpenAI-compatible path also the one whose API key it bears.
    package internal(set) var account: String?
    package internal(set) var kind: RequestKind?
    /// Of `servingMode`: the model or the endpoint; on the OpenAI-compatible path `model`.
    package internal(set) var model: String?
    package internal(set) var isStream = false
    /// Nil until the answer's head is written.
    package internal(set) var status: Int?
    /// Why the signature or the body was refused, in more words than the answer has.
    package internal(set) var refusal: String?
    package internal(set) var eventsSent = 0
    package internal(set) var ending: Ending?
    package internal(set) var ended: ContinuousClock.Instant?
    /// The same in seconds since 1970.
    package internal(set) var endedAt: Double?

    /// The body as JSON; nil when it is none.
    package var json: JSON? { try? JSONParser.parse(body) }

    package func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// As the control API shows it.
    package var summary: JSON {
        var headerObject = JSONObject()
        for header in headers { headerObject[header.name.lowercased()] = .string(header.value) }
        var summary: JSON = [
            "id": .integer(id), "arrivedAt": .number(arrivedAt), "method": .string(method), "path": .string(target),
            "headers": .object(headerObject), "isStream": .bool(isStream), "eventsSent": .integer(eventsSent),
        ]
        summary["account"] = account.map(JSON.string)
        summary["kind"] = kind.map { .string($0.rawValue) }
        summary["model"] = model.map(JSON.string)
        summary["status"] = status.map(JSON.integer)
        summary["refusal"] = refusal.map(JSON.string)
        summary["ending"] = ending.map { .string($0.rawValue) }
        summary["endedAt"] = endedAt.map(JSON.number)
        summary["body"] = json ?? (body.isEmpty ? nil : .string(String(decoding: body, as: UTF8.self)))
        return summary
    }
}
