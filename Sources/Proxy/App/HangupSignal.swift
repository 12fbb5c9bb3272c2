import ServiceLifecycle
import UnixSignals

/// SIGHUP reads the configuration again.
struct HangupSignal: Service {
    /// Keep what comes before `run`.
    struct Signals {
        fileprivate let sequence: UnixSignalsSequence

        /// From here on the signal no longer ends the process.
        init() async { sequence = await UnixSignalsSequence(trapping: .sighup) }
    }

    let signals: Signals
    let reloader: Reloader

    /// Runs until the service group stops it, or its task is cancelled.
    func run() async {
        await cancelWhenGracefulShutdown {
            for await _ in signals.sequence { _ = await reloader.reload() }
        }
    }
}
