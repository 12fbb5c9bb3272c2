import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Tells the service manager how the process is doing. Without `NOTIFY_SOCKET` it says nothing to anybody.
final class ServiceNotifier: Sendable {
    private let socket: NotifySocket?
    private let state = Mutex(ServiceState())

    /// - Parameter socket: nil: nobody wants to know.
    init(_ socket: NotifySocket?) {
        self.socket = socket
    }

    /// Whether anybody listens.
    var isOn: Bool { socket != nil }

    /// The port listens.
    func started() { tell { $0.started() } }

    func reloadBegan() {
        tell { state in
            var now = timespec()
            unsafe clock_gettime(CLOCK_MONOTONIC, &now)
            return state.reloadBegan(monotonic: UInt64(now.tv_sec) * 1_000_000 + UInt64(now.tv_nsec) / 1000)
        }
    }

    func reloadEnded() { tell { $0.reloadEnded() } }

    func stopped() { tell { $0.stopped() } }

    /// Says what does not depend on the state.
    func send(_ message: ServiceMessage) { socket?.send(message.text) }

    /// Sends under the lock, so that messages leave in the order of the states; there are a few in a day.
    private func tell(_ change: (inout ServiceState) -> ServiceMessage?) {
        state.withLock { state in
            if let message = change(&state) { send(message) }
        }
    }
}
