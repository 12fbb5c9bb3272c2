/// A request to the operator's endpoints, as the command line asks it. A value: who carries it is settled elsewhere (`OperatorCalls`).
///
/// Nothing in it has been looked at: what is wrong with a name or a limit is said by the endpoint, in one place for all who ask.
package struct OperatorCall: Equatable, Sendable {
    package enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case delete = "DELETE"
    }

    package let method: Method
    /// Path and query, percent-encoded.
    package let target: String
    /// A JSON document, or nothing.
    package private(set) var body: [UInt8] = []
    /// Its answer comes when all is worked out, which may take minutes.
    package private(set) var isLong = false
    /// It makes sense where there has been no ledger yet.
    package private(set) var beginsLedger = false

    /// Something is different afterwards, at once: who has sent it waits for the answer.
    package var changesKeys: Bool { method != .get && !isLong }

    private init(_ method: Method, _ path: [String], under root: String = "/admin/", query: [(String, String?)] = []) {
        self.method = method
        let query = query.compactMap { name, value in value.map { "\(name)=\($0.percentEncodedForQuery)" } }
        target =
            root + path.map(\.percentEncodedForQuery).joined(separator: "/")
            + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
    }

    private init(posting members: [(String, String?)], to path: [String]) {
        self.init(.post, path)
        var writer = JSONWriter()
        writer.beginObject()
        for case (let name, let value?) in members {
            writer.key(name)
            writer.string(value)
        }
        writer.endObject()
        body = writer.bytes
    }

    // MARK: Requests

    /// What has become of a request.
    package static func why(_ id: String) -> OperatorCall { OperatorCall(.get, [id], under: "/why/") }

    // MARK: Keys

    package static let keys = OperatorCall(.get, ["keys"])

    /// - Parameter limits: members of the order by their names; what is nil is left out.
    package static func createKey(_ name: String, _ limits: [(String, String?)]) -> OperatorCall {
        var call = OperatorCall(posting: [("name", name)] + limits, to: ["keys"])
        call.beginsLedger = true
        return call
    }

    package static func rotateKey(_ name: String, grace: String?) -> OperatorCall {
        OperatorCall(posting: [("grace", grace)], to: ["keys", name, "rotate"])
    }

    /// - Parameter name: one key's; nil is all.
    package static func keyHistory(_ name: String?) -> OperatorCall {
        OperatorCall(.get, ["keys", name ?? "*", "history"])
    }

    package static func revokeKey(_ name: String) -> OperatorCall { OperatorCall(.delete, ["keys", name]) }

    // MARK: Ledger

    /// - Parameter table: `summary`, `days`, `keys`, `models`, `accounts` or `failures`.
    package static func table(_ table: String, from: String?, to: String?, key: String?) -> OperatorCall {
        OperatorCall(.get, ["ledger", table], query: [("from", from), ("to", to), ("key", key)])
    }

    package static func export(from: String?, to: String?, format: String?, level: String?) -> OperatorCall {
        OperatorCall(
            .get, ["ledger", "export"], query: [("from", from), ("to", to), ("format", format), ("level", level)])
    }

    package static func reprice(since: String) -> OperatorCall {
        var call = OperatorCall(posting: [("since", since)], to: ["ledger", "reprice"])
        call.isLong = true
        return call
    }
}
