/// What has become of a request, told in words for people at a terminal.
package enum StoryPage {
    /// - Parameter document: of `/why/{request-id}`.
    /// - Throws: `ExitError` for what is no such document.
    package static func text(_ document: [UInt8]) throws(ExitError) -> String {
        let story = try OperatorPage.root(document)
        guard let id = story["id"]?.string else { throw OperatorPage.unreadable }
        var lines = ["Request \(id)", "  at        \(story["at"]?.string ?? "-"), \(story["path"]?.string ?? "-")"]
        lines.append("  key       \(story["key"]?.string ?? "-")")
        lines.append("  model     \(model(story))")
        lines.append("  result    \(result(story))")
        lines.append("  tokens    \(usage(story))")
        lines.append("  known     from \(story["source"]?.string == "ledger" ? "the ledger" : "memory")")
        lines.append("")
        let events = story["events"]?.elements.map { $0 } ?? []
        if events.isEmpty { lines.append("  No upstream was asked.") }
        for event in events { lines += words(event) }
        return lines.map { TextTable.printable($0) + "\n" }.joined()
    }

    private static func model(_ story: JSONValue) -> String {
        var words = story["model"]?.string ?? "-"
        if let served = story["served_model"]?.string, served != words { words += ", answered by \(served)" }
        if let upstream = story["upstream"]?.string { words += " at \(upstream)" }
        if let fallback = story["fallback"]?.string { words += ", fallback \(fallback)" }
        if let broken = story["rescued"]?.string { words += ", rescued when \(broken) broke off" }
        return words
    }

    private static func result(_ story: JSONValue) -> String {
        guard story["running"]?.bool != true else { return "it is still running, for \(time(story["total_ms"]))" }
        var words = "status \(story["status"]?.int ?? 0)"
        if let error = story["error"]?.string { words += " (\(error))" }
        words += " after \(time(story["total_ms"]))"
        if story["first_token_ms"]?.isNull == false { words += ", first token after \(time(story["first_token_ms"]))" }
        if story["client_left"]?.bool == true { words += "; the client left before the end" }
        return words
    }

    private static func usage(_ value: JSONValue) -> String {
        func count(_ name: StaticString) -> String { value[name]?.int.map(String.init) ?? "-" }
        var words = "\(count("tokens_prompt")) in, \(count("tokens_completion")) out"
        if let cost = value["cost_nano_usd"]?.int { words += ", cost \(Figures.dollars(cost)) USD" }
        return words
    }

    private static func words(_ event: JSONValue) -> [String] {
        switch event["type"]?.string {
        case "passed_over":
            return (event["upstreams"]?.elements.map { $0 } ?? []).map {
                line("", "passed over \($0["id"]?.string ?? "-"): \($0["text"]?.string ?? "-")")
            }
        case "waited": return [line("", "waited \(time(event["wait_ms"])) in the queue")]
        case "paused": return [line("", "paused for \(time(event["wait_ms"])) before the next try")]
        case "refused": return [line("", event["text"]?.string ?? "no upstream")]
        case "successor":
            return [line("", "the model has retired, its successor \(event["model"]?.string ?? "-") answers")]
        case "fallback": return [line("", "fell back to the model \(event["model"]?.string ?? "-")")]
        case "gave_up": return [line("", "no other model could answer")]
        case "rescue":
            return [line("", "rescue \(event["result"]?.string ?? "-") with \(event["model"]?.string ?? "-")")]
        case "attempt":
            var words = "attempt \(event["number"]?.int ?? 0): \(event["upstream"]?.string ?? "-")"
            if let region = event["region"]?.string { words += " (\(region))" }
            words += ", \(event["model"]?.string ?? "-"): \(event["outcome"]?.string ?? "-")"
            if let status = event["status"]?.int { words += ", status \(status)" }
            if event["end_ms"]?.isNull == false { words += ", ended at \(time(event["end_ms"]))" }
            var lines = [line(time(event["start_ms"]), words)]
            if event["first_token_ms"]?.isNull == false {
                lines.append(line(time(event["first_token_ms"]), "first token"))
            }
            if let id = event["opc_request_id"]?.string { lines.append(line("", "  opc-request-id \(id)")) }
            return lines
        default: return []
        }
    }

    private static func line(_ moment: String, _ words: String) -> String {
        "  " + String(repeating: " ", count: max(10 - moment.count, 0)) + moment + "  " + words
    }

    private static func time(_ value: JSONValue?) -> String {
        guard let milliseconds = value?.double else { return "-" }
        return "\(Int(milliseconds.rounded())) ms"
    }
}
