import NIOCore
import NIOEmbedded
import NIOHTTP1
import Synchronization

@testable import Proxy

/// The client of one answer: a connection without a socket, whose event loop a test lets run.
final class PlayedClient: Sendable {
    /// What it has been told so far.
    struct Told: Equatable, Sendable {
        var status: Int?
        var body = ""
        var hasEnded = false
    }

    let channel = NIOAsyncTestingChannel()
    let connection: ClientConnection
    private let told = Mutex(Told())

    var loop: NIOAsyncTestingEventLoop { channel.testingEventLoop }

    init() async throws {
        connection = try await .inParts(channel)
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).get()
    }

    func told() async throws -> Told {
        await loop.run()
        while let part = try await channel.readOutbound(as: HTTPServerResponsePart.self) {
            told.withLock { told in
                switch part {
                case .head(let head): told.status = Int(head.status.code)
                case .body(.byteBuffer(let bytes)): told.body += String(buffer: bytes)
                case .body: break
                case .end: told.hasEnded = true
                }
            }
        }
        return told.withLock { $0 }
    }

    /// Lets things happen until `condition` holds.
    func run(until condition: () async throws -> Bool) async throws {
        while try await !condition() {
            try Task.checkCancellation()
            await loop.run()
            await Task.yield()
        }
    }

    /// Lets things happen until the client has been told `text`.
    func run(untilToldOf text: String) async throws {
        try await run { try await told().body.contains(text) }
    }

    /// Lets things happen until the call has ended, and returns what it ended with.
    func end<Value>(of call: Pending<Value>) async throws -> Value {
        try await run { call.isOver }
        return try await call.value()
    }

    /// Gives things that must not happen a chance to happen.
    func linger() async {
        for _ in 0..<200 {
            await loop.run()
            await Task.yield()
        }
    }
}
