import NIOHTTP1

/// `GET /test-oci`: one signed call per account, side by side.
struct TestOCIRoute: Sendable {
    let upstreams: [Upstream]

    func answer() async throws -> Answer {
        let reports = try await withThrowingTaskGroup(of: (Int, AccountProbe.Report).self) { group in
            for (index, upstream) in upstreams.enumerated() {
                group.addTask { (index, try await AccountProbe.run(upstream.account, limit: 1000)) }
            }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        let passed = reports.values.count { $0.error == nil }
        let status = passed == 0 ? "failed" : passed < upstreams.count ? "degraded" : "ok"

        var writer = JSONWriter()
        writer.beginObject()
        writer.key("status")
        writer.string(status)
        writer.key("accounts")
        writer.beginArray()
        for (index, upstream) in upstreams.enumerated() {
            guard let report = reports[index] else { continue }
            write(report, of: upstream.account, to: &writer)
        }
        writer.endArray()
        writer.endObject()
        return .json(writer.bytes, status: passed == 0 ? .serviceUnavailable : .ok)
    }

    private func write(_ report: AccountProbe.Report, of account: OCIAccount, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("id")
        writer.string(account.id)
        writer.key("region")
        writer.string(account.region)
        writer.key("endpoint")
        writer.string(account.inference.origin + account.inference.path)
        writer.key("ok")
        writer.bool(report.error == nil)
        writer.key("latency_ms")
        writer.int(Int(report.latency.milliseconds))
        writer.key("models")
        writer.int(report.models ?? 0)
        writer.key("error")
        if let error = report.error { writer.string(error) } else { writer.null() }
        writer.endObject()
    }
}
