import NIOHTTP1
import ProxyRouting

/// One signed call to find out how an account does, and what came of it.
struct AccountProbe: Sendable {
    /// How long the call may take.
    static let timeout = Duration.seconds(10)

    /// Asks `account` for one page of its model list.
    ///
    /// - Throws: `CancellationError` only; every failure of the account is a report.
    static func run(_ account: OCIAccount, limit: Int) async throws -> ProbeReport {
        let start = account.time.now()
        let sent = account.time.wallClock()
        let deadline = MovingDeadline(at: start + timeout, for: .request, on: account.time)
        do {
            let (status, body) = try await withDeadline(deadline) {
                let response = try await account.listModels(limit: limit)
                return (response, try await response.collect(upTo: 4 << 20))
            }
            let latency = account.time.now() - start
            let skew = ClockSkew(
                date: status.headers.first(name: "date"), sent: sent, received: account.time.wallClock())
            if account.hasNoList(status) {
                return ProbeReport(
                    latency: latency, models: ModelSummary.servedWithAPIKeys.count, probe: .passed, skew: skew)
            }
            guard status.status == 200 else {
                let refused = status.status == 401 || status.status == 403
                let error = account.refusal(status: status.status, retryAfter: nil, body: body)
                var text = "HTTP \(status.status): \(error.message)"
                if let skew { text += " \(skew.hint)" }
                if PolicyHint.mayHelp(status: status.status, body: body) {
                    text += " \(PolicyHint.text(account.auth, compartment: account.compartment))"
                }
                // An API key may be good for chats and not for the list: they decide.
                // Who throttles the list is there, and says nothing about chats.
                let verdict: HealthRecord.Probe =
                    refused
                    ? (account.chatForm == .oci ? .credentialsRefused : .passed)
                    : status.status == 429 ? .passed : .failed
                return ProbeReport(latency: latency, error: text, probe: verdict, skew: skew)
            }
            guard let models = account.models(in: body) else {
                return ProbeReport(
                    latency: latency, error: "the response is not a model list", probe: .failed, skew: skew)
            }
            return ProbeReport(latency: latency, models: models.count, probe: .passed, skew: skew)
        } catch let error as CancellationError {
            throw error
        } catch {
            return ProbeReport(
                latency: account.time.now() - start,
                error: UpstreamFault.failure(error, account: account.id)?.message ?? "cancelled", probe: .failed)
        }
    }
}
