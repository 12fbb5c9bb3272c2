/// What `/admin/ledger` answers, for people.
package enum LedgerPage {
    /// One of the ledger's tables.
    ///
    /// - Parameters:
    ///   - key: the name of the key whose table it is, where one was named.
    ///   - now: seconds since 1970.
    /// - Throws: `ExitError` for what is no such document.
    package static func table(_ document: [UInt8], of key: String? = nil, at now: Int64 = 0) throws(ExitError) -> String
    {
        let root = try OperatorPage.root(document)
        guard let subject = root["subject"]?.string, let rows = root["rows"] else { throw OperatorPage.unreadable }
        let range = "from \(Figures.text(root["from"])) to \(Figures.text(root["to"]))"
        let list = Array(rows.elements)
        guard let first = list.first, subject != "summary" || first["requests"]?.int != 0 else {
            let whose = key.map { " of a key \($0)" } ?? ""
            var lines = ["Nothing is recorded\(whose) \(range)."]
            if now > 0, let from = root["from"]?.string.flatMap(RFC3339.seconds), from > now {
                lines.append("That is in the future.")
            } else if key != nil {
                lines.append("ociai-proxy key list shows the names of keys; their capital letters count.")
            }
            return lines.map { TextTable.printable($0) + "\n" }.joined()
        }
        let head = "Recorded \(range)\n\n"
        let note = list.contains { ($0["unknown_cost"]?.int ?? 0) > 0 } ? "\n\(unpriced)\n" : ""
        if subject == "summary" { return head + summary(first) + note }
        let members = members(of: subject)
        return head
            + TextTable(members.map(\.column), rows: list.map { row in members.map { $0.show(row) } }).text + note
    }

    /// That costs have been worked out anew.
    ///
    /// - Parameter now: seconds since 1970.
    /// - Throws: `ExitError` for what is no such document.
    package static func repriced(_ document: [UInt8], at now: Int64 = 0) throws(ExitError) -> String {
        let root = try OperatorPage.root(document)
        guard let changed = root["changed"]?.int, let since = root["since"]?.string else {
            throw OperatorPage.unreadable
        }
        if now > 0, let moment = RFC3339.seconds(since), moment > now {
            return TextTable.printable("\(since) is in the future: there is nothing to be worked out anew.") + "\n"
        }
        return
            "Costs since \(since) are worked out anew: \(changed == 1 ? "1 call has" : "\(changed) calls have") another cost.\n"
    }

    private static let unpriced =
        "What unpriced requests cost is not known, and not in the sum: see [PRICES], and ociai-proxy ledger reprice."

    private struct Member {
        let column: TextTable.Column
        let show: (JSONValue) -> String

        init(_ title: String, _ side: TextTable.Column.Side = .right, _ show: @escaping (JSONValue) -> String) {
            column = TextTable.Column(title, side)
            self.show = show
        }
    }

    private static func members(of subject: String) -> [Member] {
        switch subject {
        case "failures":
            return [
                Member("LEVEL", .left) { Figures.text($0["level"]) },
                Member("ERROR", .left) { Figures.text($0["error"]) },
                Member("UPSTREAM", .left) { Figures.text($0["upstream"]) },
                Member("STATUS") { Figures.count($0["status"]) }, Member("COUNT") { Figures.count($0["count"]) },
                Member("LAST", .left) { Figures.text($0["last_at"]) },
            ]
        case "days": return [Member("DAY", .left) { Figures.text($0["day"]) }] + sums
        case "keys": return [Member("KEY", .left) { Figures.text($0["key"]) }] + sums
        case "models": return [Member("MODEL", .left) { Figures.text($0["model"]) }] + sums
        default:
            return [Member("UPSTREAM", .left) { Figures.text($0["upstream"]) }] + sums + [
                Member("P50 MS") { Figures.milliseconds($0["first_token_p50_ms"]) },
                Member("P99 MS") { Figures.milliseconds($0["first_token_p99_ms"]) },
            ]
        }
    }

    private static var sums: [Member] {
        [
            Member("REQUESTS") { Figures.count($0["requests"]) }, Member("FAILED") { Figures.count($0["failed"]) },
            Member("LEFT") { Figures.count($0["cancelled"]) }, Member("CALLS") { Figures.count($0["attempts"]) },
            Member("TOKENS IN") { Figures.count($0["prompt_tokens"]) },
            Member("CACHED") { Figures.share($0["cached_share"]) },
            Member("TOKENS OUT") { Figures.count($0["completion_tokens"]) },
            Member("COST USD") { Figures.dollars($0["cost_nano_usd"]) },
            Member("UNPRICED") { Figures.count($0["unknown_cost"]) },
            Member("FIRST TOKEN MS") { Figures.milliseconds($0["first_token_ms"]) },
        ]
    }

    /// A line for each member.
    private static func summary(_ row: JSONValue) -> String {
        let lines: [(String, String)] = [
            ("requests", Figures.count(row["requests"])), ("failed", Figures.count(row["failed"])),
            ("left by the client", Figures.count(row["cancelled"])), ("rescued", Figures.count(row["rescued"])),
            ("calls to upstreams", Figures.count(row["attempts"])), ("of them retries", Figures.count(row["retries"])),
            ("tokens in", Figures.count(row["prompt_tokens"])),
            ("of them cached", Figures.count(row["cached_tokens"])),
            ("cached share", Figures.share(row["cached_share"])),
            ("tokens out", Figures.count(row["completion_tokens"])),
            ("of them reasoning", Figures.count(row["reasoning_tokens"])),
            ("cost, USD", Figures.dollars(row["cost_nano_usd"])),
            ("of it for retries, USD", Figures.dollars(row["retries_cost_nano_usd"])),
            ("unpriced requests", Figures.count(row["unknown_cost"])),
            ("requests of unknown usage", Figures.count(row["unknown_usage"])),
            ("requests of estimated usage", Figures.count(row["estimated_usage"])),
            ("first token, ms", Figures.milliseconds(row["first_token_ms"])),
        ]
        let (wide, high) = (lines.map(\.0.count).max() ?? 0, lines.map(\.1.count).max() ?? 0)
        return lines.map { title, figure in
            title + String(repeating: " ", count: wide - title.count + 2 + high - figure.count) + figure + "\n"
        }.joined()
    }
}
