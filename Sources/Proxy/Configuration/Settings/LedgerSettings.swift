package import ProxyAccounting

/// What outlives the process, and what things cost.
package struct LedgerSettings: Sendable, Equatable {
    /// `state_dir`: where the ledger is.
    package enum Directory: Sendable, Equatable {
        /// systemd's, else that of the configuration file.
        case standard
        /// Absolute.
        case named(String)
        case off
    }
    package var directory = Directory.standard
    /// How long rows are kept.
    package var retention = Duration.seconds(90 * 86_400)
    /// Bytes that the file may have before its oldest rows go.
    package var maxSize = 4 << 30
    /// By which budgets begin anew: a name that this machine knows.
    package var timeZone = "UTC"
    /// `[PRICES]`.
    package var prices: [PriceTable.Entry] = []
    /// A file in LiteLLM's form; absolute.
    package var pricesFile: String?

    package init() {}
}
