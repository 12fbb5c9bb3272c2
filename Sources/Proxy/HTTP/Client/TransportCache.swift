import NIOCore
import ServiceLifecycle
import Synchronization

/// The transports of the process, one for each set of options that some configuration has asked for: an upstream that a reload does
/// not change keeps its transport, and with it its connections.
final class TransportCache: Service {
    private let group: any EventLoopGroup
    private let made = Mutex<[NIOTransport.Options: NIOTransport]>([:])

    /// - Parameter group: the event loops of the front end, so that both sides share threads.
    init(group: any EventLoopGroup) { self.group = group }

    /// - Throws: when the authorities of the options cannot be used.
    func transport(_ options: NIOTransport.Options) throws -> NIOTransport {
        try made.withLock { made in
            if let transport = made[options] { return transport }
            let transport = try NIOTransport(group: group, options: options)
            made[options] = transport
            return transport
        }
    }

    /// Keeps them until everything that uses them has stopped, then closes their connections.
    func run() async throws {
        try? await gracefulShutdown()
        for transport in made.withLock({ Array($0.values) }) { await transport.shutDown() }
    }
}
