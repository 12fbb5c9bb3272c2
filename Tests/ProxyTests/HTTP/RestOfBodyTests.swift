import NIOCore
import NIOPosix
import Testing

@testable import Proxy

@Suite(.timeLimit(.minutes(5))) struct RestOfBodyTests {
    private let loop = MultiThreadedEventLoopGroup.singleton.any()

    private func rest(_ onRoom: @escaping @Sendable () -> Void = {}) async throws -> RestOfBody {
        try await loop.submit { [loop] in RestOfBody(on: loop, length: nil, onRoom: onRoom) }.get()
    }

    private func onLoop(_ work: @escaping @Sendable () -> Void) async throws { try await loop.submit(work).get() }

    @Test func `What comes is read in order, up to the end`() async throws {
        let rest = try await rest()
        async let first = rest.next()
        while try await loop.submit({ rest.isAwaited }).get() == false { await Task.yield() }
        try await onLoop { for text in ["a", "", "b", "c"] { rest.put(ByteBuffer(string: text)) } }
        try await onLoop { rest.finish() }
        #expect(try await first.map { String(buffer: $0) } == "a")
        // What waits is one piece.
        #expect(try await rest.next().map { String(buffer: $0) } == "bc")
        #expect(!rest.isRead)
        #expect(try await rest.next() == nil && rest.taken == 3 && rest.isRead)
        try await onLoop { rest.put(ByteBuffer(string: "late")) }
        #expect(try await rest.next() == nil)
    }

    @Test func `A failure comes at once, and only once there is one`() async throws {
        let rest = try await rest()
        try await onLoop {
            rest.put(ByteBuffer(string: "a"))
            rest.fail(RequestFault.bodyTimedOut)
            rest.finish()
        }
        await #expect(throws: RequestFault.bodyTimedOut) { try await rest.next() }
        await #expect(throws: RequestFault.bodyTimedOut) { try await rest.next() }
    }

    @Test func `Who is slow has the client wait`() async throws {
        let (rooms, room) = AsyncStream.makeStream(of: Void.self)
        let rest = try await rest { room.yield() }
        let piece = ByteBuffer(repeating: 0x61, count: RestOfBody.roomy)
        try await onLoop {
            rest.put(piece)
            #expect(rest.isFull)
            rest.put(piece)
        }
        #expect(try await rest.next()?.readableBytes == 2 * RestOfBody.roomy)
        #expect(try await !loop.submit { rest.isFull }.get())
        // Once, and not with each piece.
        var seen = rooms.makeAsyncIterator()
        #expect(await seen.next() != nil)
        room.finish()
        #expect(await seen.next() == nil)
    }

    @Test func `A reader that is cancelled is let go`() async throws {
        let rest = try await rest()
        let task = Task { try await rest.next() }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        try await onLoop { rest.put(ByteBuffer(string: "a")) }
        #expect(try await rest.next().map { String(buffer: $0) } == "a")
    }
}
