import Proxy
import ProxyAccounting

#if Ledger
    import ProxyLedger
    import Synchronization
#endif

/// The ledger that this program is built with: none without the package's trait `Ledger`.
enum OwnLedger {
    #if Ledger
        static let opener: LedgerOpener? = { options async throws(LedgerUnavailable) in
            let clock = Mutex(BudgetClock(options.calendar))
            var settings = SQLiteLedger.Options(
                directory: options.directory, calendarName: options.calendar.name,
                wallClock: TimeSource.system.wallMicroseconds,
                periodStart: { window, seconds in
                    clock.withLock { $0.period(of: window, containing: seconds).start }
                },
                log: options.log)
            settings.retention = options.retention
            settings.maxSize = Int64(options.maxSize)
            settings.owner = options.owner
            settings.lockPatience = options.patience
            settings.isGuest = options.isForCommand
            do {
                return try await SQLiteLedger.open(patiently: settings)
            } catch let error as LedgerError {
                throw LedgerUnavailable(
                    isRefused: [.inUse, .newer, .foreign, .damaged].contains(error.code), isInUse: error.code == .inUse,
                    holder: error.holder, reason: error.description)
            } catch {
                throw LedgerUnavailable(isRefused: false, reason: "\(error)")
            }
        }
    #else
        static let opener: LedgerOpener? = nil
    #endif
}
