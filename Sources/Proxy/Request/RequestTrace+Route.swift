import ProxyRouting

extension RequestTrace {
    /// Beyond that a header would be refused by somebody.
    private static let longestLine = 4096

    /// Where the request has been so far, in one line of ASCII; nil while there is nothing to tell.
    var routeLine: String? {
        var words: [String] = []
        var open: [Int: (place: Int, report: AttemptReport, at: Duration)] = [:]
        var attempts = 0
        let events = events
        for event in events {
            switch event {
            case .passedOver(let passed, let names, _):
                for (one, name) in zip(passed, names) {
                    words.append("\(name) \(one.availability.reasonWord)\(one.isOfModel ? " (model)" : "")")
                }
            case .waited(let wait, _): words.append("waited \(wait.milliseconds)ms")
            case .paused(let pause, _): words.append("paused \(pause.milliseconds)ms")
            case .refused(let refusal, _): words.append("no upstream: \(refusal.sentence)")
            case .began(let call, let report, let at):
                attempts += 1
                open[call] = (words.count, report, at)
                words.append("attempt \(attempts) \(report.call.upstream)")
            case .ended(let call, let outcome, let at):
                guard let (place, report, start) = open.removeValue(forKey: call) else { continue }
                let status = report.content.status.map { " \($0)" } ?? ""
                words[place] += " \(outcome.word)\(status) \((at - start).milliseconds)ms"
            case .succeeded(let model): words.append("successor \(model)")
            case .fellBack(let model): words.append("fallback \(model)")
            case .gaveUp where !events.triedSeveralModels: break
            case .gaveUp: words.append("no other model could answer")
            case .rescue(let model, let result): words.append("rescue \(result) \(model)")
            }
        }
        guard !words.isEmpty else { return nil }
        let line = words.joined(separator: "; ").utf8.prefix(Self.longestLine)
        // Models' names come from clients and upstreams.
        return String(decoding: line.map { (0x20...0x7E).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }
}
