import FoundationEssentials

/// What a simulator is made of.
package struct SimulatorConfiguration: Sendable {
    package var accounts: [SimulatedAccount]
    package var catalogue = Catalogue()
    package var pacing = Pacing()
    /// Address to listen on.
    package var host = "127.0.0.1"
    /// 0: the system chooses.
    package var port = 0
    /// Each account gets a port of its own beside the common one, and that port can be closed and opened again.
    package var listenerPerAccount = false
    /// Models on a page of the listing when the request names no limit.
    package var modelPageSize = 10
    /// The listing has an empty page before its last one.
    package var hasEmptyModelPage = false
    /// `GET /openai/v1/models` answers a list; else 404, as the service may (OCI wire notes 7).
    package var listsOpenAIModels = true
    /// On the OpenAI-compatible path, Llama refuses tools when the request begins with a system message (OCI wire
    /// notes 5.4).
    package var refusesLlamaToolsAfterSystem = false
    /// Refuses larger request bodies with 413.
    package var maximumBodySize = 64 << 20
    /// So many requests are remembered, at least.
    package var recordLimit = 10_000
    /// Of the session tokens that are issued, in seconds.
    package var tokenLifetime = 3600
    /// What a pod shows to the cluster's token service.
    package var serviceAccountToken = "simulated-service-account"
    /// A basic cluster has no workload identity.
    package var isEnhancedCluster = true
    /// The service's clock, in seconds since 1970: signatures are checked against it, and answers are stamped by it.
    package var now: @Sendable () -> Double = { Date().timeIntervalSince1970 }

    package init(accounts: [SimulatedAccount]) { self.accounts = accounts }
}
