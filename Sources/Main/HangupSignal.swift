import UnixSignals

/// SIGHUP: the configuration is to be read again.
struct HangupSignal: Sendable {
    /// One element for each signal.
    let requests: AsyncStream<Void>
    private let request: AsyncStream<Void>.Continuation
    private let signals: UnixSignalsSequence

    /// From here on the signal no longer ends the process. What comes before `watch` is kept.
    init() async {
        (requests, request) = AsyncStream.makeStream()
        signals = await UnixSignalsSequence(trapping: .sighup)
    }

    /// Runs until its task is cancelled.
    func watch() async {
        for await _ in signals { request.yield() }
    }
}
