/// One account, with what changes about it while the process runs.
///
/// The account itself is immutable and is called without this actor: a signature or a network call must never stand in
/// the way of somebody who only asks how the account is doing.
actor Upstream {
    nonisolated let account: OCIAccount
    nonisolated var id: String { account.id }
    private var record = HealthRecord()

    init(_ account: OCIAccount) {
        self.account = account
    }

    /// What the health checks know.
    var health: HealthRecord { record }

    /// Counts the end of a health check.
    func note(_ probe: HealthRecord.Probe) {
        record.record(probe)
    }
}
