import ServiceLifecycle
import UnixSignals

/// SIGHUP reads the configuration again.
struct HangupSignal: Service {
    let reloader: Reloader

    /// Runs until the service group stops it, or its task is cancelled.
    func run() async {
        await cancelWhenGracefulShutdown {
            for await _ in await UnixSignalsSequence(trapping: .sighup) { _ = await reloader.reload() }
        }
    }
}
