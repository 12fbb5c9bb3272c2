import Logging
import Proxy
import UnixSignals

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// SIGTERM and SIGINT: the first begins the drain, the second ends the process at once.
///
/// The exit code is 0 both times: to nginx's users and to systemd a process that ends because it was told to has ended well, and
/// `Restart=on-failure` must not start it again.
struct StopSignals: Sendable {
    /// One element when the process is to end.
    let requests: AsyncStream<Void>
    private let request: AsyncStream<Void>.Continuation
    private let signals: UnixSignalsSequence

    /// From here on the signals no longer end the process by themselves.
    init() async {
        (requests, request) = AsyncStream.makeStream()
        signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
    }

    /// Runs until its task is cancelled.
    func watch(_ output: LogOutput) async {
        var isStopping = false
        for await signal in signals {
            guard !isStopping else {
                output.logger().warning(
                    "Second signal received; exiting immediately", metadata: ["signal": "\(signal)"])
                output.flush(within: .milliseconds(200))
                // Without the handlers of `exit`, which other threads' work might meet half-way.
                _exit(Proxy.ExitCode.cleanStop.rawValue)
            }
            isStopping = true
            request.yield()
        }
    }
}
