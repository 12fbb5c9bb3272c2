import NIOHTTP1

/// `GET /test-oci`: one signed call per account, side by side. Whoever asks meanwhile, or in the second after, gets the same answer: Oracle
/// throttles a tenancy for all its calls, chats among them.
struct TestOCIRoute: Sendable {
    private static let interval = Duration.seconds(1)

    let upstreams: [Upstream]
    let accountList: AccountList
    private let rounds: SharedRounds<Round>

    /// What the accounts have answered, by their place in the router's list, and when they were asked: seconds since 1970.
    private struct Round: Sendable {
        let at: Int64
        let reports: [Int: ProbeReport]
    }

    init(upstreams: [Upstream], accountList: AccountList, pace: RoundPace = RoundPace(), time: TimeSource) {
        self.upstreams = upstreams
        self.accountList = accountList
        let accounts = upstreams.filter { $0.backend.kind == .oci }
        rounds = SharedRounds(every: Self.interval, by: pace, time: time) {
            Round(at: time.wallClock(), reports: await Self.ask(accounts))
        }
    }

    private static func ask(_ accounts: [Upstream]) async -> [Int: ProbeReport] {
        await withTaskGroup(of: (Int, ProbeReport?).self) { group in
            for upstream in accounts {
                group.addTask { (upstream.index, try? await upstream.backend.probe(limit: 1000)) }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }

    func answer() async -> Response {
        let accounts = upstreams.filter { $0.backend.kind == .oci }
        let round = await rounds.recent()
        let reports = round.reports
        let passed = reports.values.count { $0.error == nil }
        // Of providers there is nothing to test here.
        let total = accounts.count + accountList.broken.count
        let status = passed == total ? "ok" : passed == 0 ? "failed" : "degraded"

        var writer = JSONWriter()
        writer.beginObject()
        writer.key("status")
        writer.string(status)
        writer.key("at")
        writer.string(RFC3339.format(round.at))
        writer.key("accounts")
        writer.beginArray()
        for entry in accountList.entries {
            switch entry {
            case .serving(let index):
                guard let report = reports[index], let account = accounts.first(where: { $0.index == index })?.backend
                else { continue }
                write(
                    Line(
                        id: account.id, region: account.region, endpoint: account.endpoint, latency: report.latency,
                        models: report.models, error: report.error), to: &writer)
            case .idle(let account):
                guard let problem = account.problem else { continue }
                write(
                    Line(id: account.id, region: account.region, endpoint: account.endpoint, error: problem),
                    to: &writer)
            }
        }
        writer.endArray()
        writer.endObject()
        return .json(writer.bytes, status: status == "failed" ? .serviceUnavailable : .ok)
    }

    private struct Line {
        var id: String
        var region: String?
        var endpoint: String?
        var latency = Duration.zero
        var models: Int?
        var error: String?
    }

    private func write(_ line: Line, to writer: inout JSONWriter) {
        func text(_ text: String?) {
            if let text { writer.string(text) } else { writer.null() }
        }
        writer.beginObject()
        writer.key("id")
        writer.string(line.id)
        writer.key("region")
        text(line.region)
        writer.key("endpoint")
        text(line.endpoint)
        writer.key("ok")
        writer.bool(line.error == nil)
        writer.key("latency_ms")
        writer.int(Int(line.latency.milliseconds))
        writer.key("models")
        writer.int(line.models ?? 0)
        writer.key("error")
        text(line.error)
        writer.endObject()
    }
}
