import Proxy
import UnixSignals

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// SIGINT, SIGTERM and SIGHUP while a command is under way. What it has begun is undone, or brought to its end; then the process ends with the
/// code that a shell gives to that signal.
enum Interruption {
    private enum Event: Sendable {
        case finished
        case signal(UnixSignal)
    }

    /// For what is to be undone.
    private static let grace = Duration.seconds(2)

    /// Runs a command.
    ///
    /// - Parameter waits: it changes something in a moment, and is not to be left before it is known what has become of it. A second signal ends it
    ///   all the same.
    /// - Throws: what `work` throws.
    static func run(waits: Bool, _ work: @escaping @Sendable () async throws -> Void) async throws {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup)
        try await withThrowingTaskGroup(of: Event.self) { tasks in
            tasks.addTask {
                try await work()
                return .finished
            }
            tasks.addTask {
                for await signal in signals { return .signal(signal) }
                throw CancellationError()
            }
            defer { tasks.cancelAll() }
            guard case .signal(let signal)? = try await tasks.next() else { return }
            if waits {
                // Unstructured: it ends with the process.
                Task.detached { for await signal in signals { end(by: signal) } }
            } else {
                Task.detached {
                    try? await Task.sleep(for: grace)
                    end(by: signal)
                }
                tasks.cancelAll()
            }
            do {
                _ = try await tasks.next()
            } catch let error as ExitError where waits {
                Console.note("ociai-proxy: \(error)\n")
            } catch {
                // It has been undone.
            }
            end(by: signal)
        }
    }

    private static func end(by signal: UnixSignal) -> Never {
        let number: Int32 =
            switch signal {
            case .sigint: SIGINT
            case .sighup: SIGHUP
            default: SIGTERM
            }
        // As a shell tells it of a process that a signal has ended.
        _exit(128 + number)
    }
}
