import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import Proxy

/// A connection without a socket: who waits for whom.
@Suite(.timeLimit(.minutes(5))) struct InProcessConnectionTests {
    private let connection = InProcessConnection(on: MultiThreadedEventLoopGroup.singleton.any())

    @Test func `A response is read as it is written`() async {
        connection.write(HTTPResponseHead(version: .http1_1, status: .ok))
        connection.write(Array("one".utf8))
        connection.flush()
        let first = await connection.read()
        #expect(first.head?.status == .ok && first.bytes == Array("one".utf8) && !first.isOver)
        connection.write(ByteBuffer(string: "two"), promise: nil)
        connection.writeEnd()
        connection.close()
        let last = await connection.read()
        #expect(last.bytes == Array("two".utf8) && last.isComplete && last.isOver)
    }

    @Test func `Who reads slowly is waited for`() async throws {
        let channel = InProcessChannel(connection)
        connection.write([UInt8](repeating: 0, count: InProcessConnection.capacity - 1))
        #expect(channel.isWritable)
        connection.write([0])
        #expect(!channel.isWritable)
        let written = connection.eventLoop.makePromise(of: Void.self)
        connection.write(ByteBuffer(), promise: written)
        #expect(await connection.read().bytes.count == InProcessConnection.capacity)
        try await written.futureResult.get()
        #expect(channel.isWritable)
    }

    @Test func `Who leaves is told to those who write`() async throws {
        let channel = InProcessChannel(connection)
        connection.write(Array("unread".utf8))
        let waiting = connection.eventLoop.makePromise(of: Void.self)
        connection.write(ByteBuffer(), promise: waiting)
        connection.leave()
        await #expect(throws: ChannelError.self) { try await waiting.futureResult.get() }
        try await connection.departure.futureResult.get()
        let late = connection.eventLoop.makePromise(of: Void.self)
        connection.write(ByteBuffer(string: "late"), promise: late)
        await #expect(throws: ChannelError.self) { try await late.futureResult.get() }
        #expect(!channel.isActive)
        let reading = await connection.read()
        #expect(reading.isOver && reading.bytes.isEmpty)
    }

    @Test func `A reader that is cancelled leaves`() async throws {
        let reader = Task { await connection.read() }
        reader.cancel()
        #expect(await reader.value.isOver)
        try await connection.departure.futureResult.get()
    }

    @Test func `Closing the channel closes the connection`() async throws {
        let channel = InProcessChannel(connection)
        try await channel.close()
        try await channel.closeFuture.get()
        #expect(await connection.read().isOver)
        #expect(!channel.isActive)
    }
}
