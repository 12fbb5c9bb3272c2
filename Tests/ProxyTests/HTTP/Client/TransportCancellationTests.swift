import Foundation
import NIOCore
import NIOPosix
import ProxyTestSupport
import Synchronization
import Testing

@testable import Proxy
@testable import ProxyRouting

private typealias Bench = TransportBench

@Suite("The transport: calls that are given up", .timeLimit(.minutes(5)))
struct TransportCancellationTests {
    @Test(arguments: TransportBench.Caller.allCases)
    func `A call that is cancelled while it connects leaves nothing open`(_ caller: TransportBench.Caller) async throws
    {
        let full = try FullBacklog()
        let transport = try Bench.transport { $0.connectTimeout = .hours(1) }
        let call = Bench.call(caller) { try await transport.send(Bench.request(full.port)).status }
        await Bench.open(1, in: transport)
        call.cancel()
        await #expect(throws: CancellationError.self) { try await call.value }
        #expect(await transport.openConnections() == 0)
    }

    @Test func `Connecting has its time`() async throws {
        let full = try FullBacklog()
        let transport = try Bench.transport { $0.connectTimeout = .milliseconds(20) }
        await #expect(throws: TransportError.connectTimeout) { try await transport.send(Bench.request(full.port)) }
        #expect(await transport.openConnections() == 0)
    }

    @Test func `TLS counts in that time`() async throws {
        // It listens, and says nothing.
        let server = try await PlayedServer()
        let transport = try Bench.transport { $0.connectTimeout = .milliseconds(20) }
        await #expect(throws: TransportError.connectTimeout) {
            try await transport.send(Bench.request(server.port, scheme: "https"))
        }
        await server.accept().closed()
    }

    @Test func `A call that is cancelled during the handshake closes its connection`() async throws {
        let (server, transport) = (try await PlayedServer(), try Bench.transport())
        let call = Bench.call { try await transport.send(Bench.request(server.port, scheme: "https")).status }
        let peer = await server.accept()
        await peer.wait { $0.total > 0 }
        call.cancel()
        await #expect(throws: CancellationError.self) { try await call.value }
        await peer.closed()
    }

    private final class Watcher: RequestObserver {
        let words = Mutex<[Bool]>([])
        func wasWritten(_ isWhole: Bool) { words.withLock { $0.append(isWhole) } }
    }

    /// Of a call that is cancelled when its server has seen something of it.
    private func words(ofBody bytes: Int) async throws -> [Bool] {
        let (server, transport) = (try await PlayedServer(pausesReading: true), try Bench.transport())
        let watcher = Watcher()
        var request = Bench.request(server.port, body: [UInt8](repeating: 65, count: bytes))
        request.observer = watcher
        let call = Bench.call { [request] in try await transport.send(request).status }
        let peer = await server.accept()
        await peer.wait { $0.total > 0 }
        call.cancel()
        await #expect(throws: CancellationError.self) { try await call.value }
        try? await peer.startReading()
        await peer.closed()
        return watcher.words.withLock { $0 }
    }

    @Test func `Whoever watches is told when all has been written, and only then`() async throws {
        #expect(try await words(ofBody: 100) == [false, true])
        #expect(try await words(ofBody: 64 << 20) == [false])
    }

    @Test(arguments: [false, true])
    func `A call that is cancelled while it writes closes its connection`(_ tls: Bool) async throws {
        let (server, transport) = (try await PlayedServer(tls: tls, pausesReading: true), try Bench.transport())
        let call = Bench.call {
            try await transport.send(
                Bench.request(
                    server.port, scheme: tls ? "https" : "http", body: [UInt8](repeating: 65, count: 64 << 20))
            ).status
        }
        let peer = await server.accept()
        await peer.wait { $0.total > 0 }
        call.cancel()
        await #expect(throws: CancellationError.self) { try await call.value }
        try? await peer.startReading()
        await peer.closed()
        await peer.wait { $0.total < 64 << 20 }
    }

    @Test(arguments: TransportBench.Caller.allCases, [false, true])
    func `A call that is cancelled while it waits for the head closes its connection`(
        _ caller: TransportBench.Caller, _ tls: Bool
    ) async throws {
        let (server, transport) = (try await PlayedServer(tls: tls), try Bench.transport())
        let call = Bench.call(caller) {
            try await transport.send(Bench.request(server.port, scheme: tls ? "https" : "http")).status
        }
        let peer = await server.accept()
        await peer.request()
        call.cancel()
        await #expect(throws: CancellationError.self) { try await call.value }
        await peer.closed()
        #expect(await transport.openConnections() == 0)
    }

    @Test(arguments: TransportBench.Caller.allCases, [false, true])
    func `A call that is cancelled while it reads closes its connection`(_ caller: TransportBench.Caller, _ tls: Bool)
        async throws
    {
        let (server, transport) = (try await PlayedServer(tls: tls), try Bench.transport())
        let begun = AsyncStream.makeStream(of: Void.self)
        let call = Bench.call(caller) {
            for try await _ in try await transport.send(Bench.request(server.port, scheme: tls ? "https" : "http")).body
            { begun.continuation.yield() }
        }
        let peer = await server.accept()
        await peer.request()
        try await peer.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello")
        for await _ in begun.stream { break }
        call.cancel()
        await #expect(throws: CancellationError.self) { try await call.value }
        await peer.closed()
    }

    @Test(arguments: TransportBench.Caller.allCases)
    func `A deadline that passes ends the call that waits for its head`(_ caller: TransportBench.Caller) async throws {
        let (server, transport, time) = (try await PlayedServer(), try Bench.transport(), ManualTime())
        let deadline = MovingDeadline(at: .seconds(5), for: .firstToken, on: time.source)
        deadline.arm()
        let call = Bench.call(caller) { try await transport.send(Bench.request(server.port), until: deadline).status }
        let peer = await server.accept()
        await peer.request()
        await time.waitForSleepers()
        time.advance(by: .seconds(5))
        await #expect(throws: MovingDeadline.Exceeded(cause: .firstToken)) { try await call.value }
        await peer.closed()
        deadline.disarm()
        #expect(await transport.openConnections() == 0)
    }

    @Test(arguments: TransportBench.Caller.allCases)
    func `A deadline that passes ends the answer that is being read`(_ caller: TransportBench.Caller) async throws {
        let (server, transport, time) = (try await PlayedServer(), try Bench.transport(), ManualTime())
        let deadline = MovingDeadline(at: .seconds(5), for: .request, on: time.source)
        deadline.arm()
        let begun = AsyncStream.makeStream(of: Void.self)
        let call = Bench.call(caller) {
            let response = try await transport.send(Bench.request(server.port), until: deadline)
            begun.continuation.yield()
            return try await response.collect(upTo: 100)
        }
        let peer = await server.accept()
        await peer.request()
        try await peer.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello")
        for await _ in begun.stream { break }
        deadline.move(to: .seconds(7), for: .idleTimeout)
        await time.waitForSleepers()
        time.advance(by: .seconds(7))
        await #expect(throws: MovingDeadline.Exceeded(cause: .idleTimeout)) { try await call.value }
        await peer.closed()
        deadline.disarm()
    }

    @Test(arguments: TransportBench.Caller.allCases)
    func `A call whose deadline has passed before it begins is not made`(_ caller: TransportBench.Caller) async throws {
        let (server, transport, time) = (try await PlayedServer(), try Bench.transport(), ManualTime())
        let call = Bench.call(caller) {
            // A connection is kept, over which it could be sent at once.
            _ = try await Bench.text(transport, Bench.request(server.port))
            let deadline = MovingDeadline(at: .zero, for: .request, on: time.source)
            deadline.arm()
            defer { deadline.disarm() }
            return try await transport.send(Bench.request(server.port), until: deadline).status
        }
        let peer = await server.accept()
        let request = await peer.request()
        try await peer.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        await #expect(throws: MovingDeadline.Exceeded(cause: .request)) { try await call.value }
        #expect(await transport.openConnections() == 1, "it is still there")
        await transport.shutDown()
        await peer.closed()
        await peer.wait { $0.total == request.utf8.count }
    }

    @Test func `A task that has been cancelled sends nothing`() async throws {
        let (server, transport) = (try await PlayedServer(), try Bench.transport())
        let call = Bench.call {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await transport.send(Bench.request(server.port)).status
        }
        await #expect(throws: CancellationError.self) { try await call.value }
        #expect(server.waitingConnections == 0)
    }

    @Test(arguments: TransportBench.Caller.allCases, [0, 1])
    func `A response that is dropped before its end closes its connection`(_ caller: TransportBench.Caller, _ read: Int)
        async throws
    {
        let (server, transport) = (try await PlayedServer(), try Bench.transport())
        let call = Bench.call(caller) {
            let response = try await transport.send(Bench.request(server.port))
            guard read > 0 else { return }
            var body = response.body.makeAsyncIterator()
            for _ in 0..<read { _ = try await body.next(isolation: nil) }
        }
        let peer = await server.accept()
        await peer.request()
        try await peer.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello")
        try await call.value
        await peer.closed()
        #expect(await transport.openConnections() == 0)
    }

    @Test func `What is under way when the transport is shut down fails, and nothing stays open`() async throws {
        let (server, transport) = (try await PlayedServer(tls: true), try Bench.transport())
        let call = Bench.call { try await transport.send(Bench.request(server.port, scheme: "https")).status }
        let peer = await server.accept()
        await peer.request()
        await transport.shutDown()
        await #expect(throws: TransportError.self) { try await call.value }
        await peer.closed()
        #expect(await transport.openConnections() == 0)
        await #expect(throws: TransportError.self) { try await transport.send(Bench.request(server.port)) }
    }
}

/// A port that takes no more connections: who connects gets no answer at all.
private final class FullBacklog: Sendable {
    let port: Int
    private let sockets: [CInt]

    init() throws {
        let listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var sockets = [listener]
        // As bytes: which module the members of `sockaddr_in` belong to depends on what else is compiled.
        var address = [UInt8](repeating: 0, count: MemoryLayout<sockaddr_in>.size)
        try SocketAddress(ipAddress: "127.0.0.1", port: 0).withSockAddr { known, size in
            address.withUnsafeMutableBytes {
                $0.copyMemory(from: UnsafeRawBufferPointer(start: known, count: min(size, $0.count)))
            }
        }
        var length = socklen_t(address.count)
        let bound = address.withUnsafeMutableBytes { bytes in
            let address = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self)
            guard let address, bind(listener, address, length) == 0, listen(listener, 0) == 0,
                getsockname(listener, address, &length) == 0
            else { return false }
            for _ in 0..<4 {
                let filler = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
                _ = connect(filler, address, length)
                sockets.append(filler)
            }
            return true
        }
        try #require(bound)
        port = Int(address[2]) << 8 | Int(address[3])
        self.sockets = sockets
    }

    deinit {
        for socket in sockets { close(socket) }
    }
}
