public import Logging
import NIOCore
import NIOPosix
public import ServiceLifecycle
import Synchronization

/// A proxy in somebody else's process: it listens as the program does, and answers chats that the process asks itself.
///
/// What concerns the whole process stays with its owner: no signal is trapped, no limit raised, and the allocator is left alone. Raise the
/// limit of open files before, where many clients are to connect, and ignore SIGPIPE.
public final class ProxyService: Service {
    /// Where clients connect.
    public struct Address: Sendable, Equatable, CustomStringConvertible {
        /// An IP address, IPv6 without brackets.
        public let host: String
        public let port: Int
        /// It speaks TLS.
        public let isTLS: Bool

        /// Such as `http://127.0.0.1:8080`, the base URL of the API without `/v1`.
        public var description: String {
            "\(isTLS ? "https" : "http")://\(host.contains(":") ? "[\(host)]" : host):\(port)"
        }
    }

    private let configuration: LoadedConfiguration
    private let graph: ServiceGraph
    private let place = ListeningPlace(on: MultiThreadedEventLoopGroup.singleton.any())
    private let hasBegun = Atomic(false)

    /// Nothing happens before `run()`.
    ///
    /// - Parameter logger: gets a line for each request, at `info`, and what else the program logs.
    public init(_ configuration: ProxyConfiguration, logger: Logger) {
        self.configuration = configuration.loaded
        graph = ServiceGraph(
            source: configuration.source, proxies: configuration.proxies, service: .none, means: .embedded,
            output: nil, logger: logger)
    }

    /// Listens and serves until graceful shutdown, then lets requests end within the file's `shutdown_grace`; or until its task is cancelled,
    /// which ends them at once. It runs once.
    ///
    /// A file without a client key gets one written into it, as by the program.
    ///
    /// - Throws: an error whose description is one line that says what is wrong and how to fix it, such as a port that is in use.
    public func run() async throws {
        guard !hasBegun.exchange(true, ordering: .relaxed) else {
            throw ExitError(.internalError, "this service has run already; make another one")
        }
        defer { place.end() }
        try await graph.run(configuration, nil, onStart: { [place] in place.begin(at: $0) })
    }

    /// Where it listens: the first of its addresses. Waits until it does.
    ///
    /// - Throws: when `run()` has ended before; `CancellationError` when the task is cancelled.
    public var address: Address {
        get async throws {
            let first = try await place.addresses().first
            return Address(
                host: first?.ipAddress ?? "", port: first?.port ?? 0, isTLS: graph.state.certificate.current != nil)
        }
    }

    /// Reads the configuration file again. Requests that arrive after this has returned go by it; those that are under way, and what is
    /// known of upstreams that stay, are left alone.
    ///
    /// - Throws: `ProxyConfiguration.Invalid` when nothing has changed, as the file cannot be used.
    public func reload() async throws {
        do {
            _ = try await graph.reloader.reload().get()
        } catch {
            throw ProxyConfiguration.Invalid(error)
        }
    }

    /// Accounts and providers, how they do, and what they have done.
    public func snapshot() async -> ProxySnapshot {
        // In this order: a snapshot knows all upstreams of the configurations before it.
        let list = graph.keeper.present?.accountList ?? AccountList(entries: [])
        return ProxySnapshot(list, await graph.state.router.snapshot())
    }

    /// Asks a chat in the process itself, without a socket and without a client key.
    ///
    /// It goes the way of all chats: routing, failover, limits, statistics and the line in the log are the same. As a client it has the name
    /// `in-process`, for which `rate_limit` and `max_concurrency_per_key` hold as for each key.
    ///
    /// The chat is asked when the first event is wanted. What comes faster than it is taken waits in memory: some 128 KiB and one network
    /// read, then the upstream is read no further. (A response that is not streamed is there whole, up to `max_response_size`.) Who cancels
    /// the task that reads, or drops the stream, ends the call to the upstream. For one reader.
    ///
    /// - Returns: what the model says. It throws a `ChatFailure` in place of the end, `CancellationError` when the reading task is cancelled.
    public func events(of question: ChatQuestion) -> AsyncThrowingStream<ChatEvent, any Error> {
        graph.clients.events(of: question)
    }
}
