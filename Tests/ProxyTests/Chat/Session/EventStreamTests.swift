import NIOCore
import NIOEmbedded
import NIOHTTP1
import ProxyTestSupport
import Synchronization
import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct EventStreamTests {
    private let channel = NIOAsyncTestingChannel()

    private func open(interval: Duration = .seconds(15)) async throws -> EventStream {
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).get()
        let stream = EventStream(
            on: try await .inParts(channel), headers: ["content-type": "text/event-stream"],
            keepAliveInterval: interval,
            keepAlive: { kind, id in
                kind == .emptyEvent ? Array("data: {\(id ?? "")}\n\n".utf8) : KeepAliveSchedule.comment
            })
        stream.open()
        await channel.testingEventLoop.run()
        return stream
    }

    /// What has been written, each part as a word or its text.
    private func output() async throws -> [String] {
        await channel.testingEventLoop.run()
        var parts: [String] = []
        while let part = try await channel.readOutbound(as: HTTPServerResponsePart.self) {
            switch part {
            case .head(let head): parts.append("\(head.status.code)")
            case .body(.byteBuffer(let bytes)): parts.append(String(buffer: bytes))
            case .body: parts.append("file")
            case .end: parts.append("end")
            }
        }
        return parts
    }

    @Test func `Headers go out with the first event`() async throws {
        let stream = try await open()
        #expect(try await output() == [])
        try await stream.send(ByteBuffer(string: "data: 1\n\n"))
        #expect(try await output() == ["200", "data: 1\n\n"])
        try await stream.send(ByteBuffer(string: "data: 2\n\n"))
        stream.finish()
        #expect(try await output() == ["data: 2\n\n", "end"])
    }

    @Test func `Silence brings headers then comments`() async throws {
        let stream = try await open()
        await channel.testingEventLoop.advanceTime(by: .seconds(14))
        #expect(try await output() == [])
        await channel.testingEventLoop.advanceTime(by: .seconds(1))
        #expect(try await output() == ["200"])
        await channel.testingEventLoop.advanceTime(by: .seconds(15))
        #expect(try await output() == [": keep-alive\n\n"])
        await channel.testingEventLoop.advanceTime(by: .seconds(30))
        #expect(try await output() == [": keep-alive\n\n", "data: {}\n\n"])
        try await stream.send(ByteBuffer(string: "data: 1\n\n"))
        stream.finish()
        #expect(try await output() == ["data: 1\n\n", "end"])
        await channel.testingEventLoop.advanceTime(by: .seconds(100))
        #expect(try await output() == [])
    }

    /// All events of an answer have one id, those that are made here as well.
    @Test func `An empty event has the ID of its answer`() async throws {
        let stream = try await open()
        for _ in 0..<4 { await channel.testingEventLoop.advanceTime(by: .seconds(15)) }
        #expect(try await output().last == "data: {}\n\n")
        try await stream.send(ByteBuffer(string: "data: 1\n\n"))
        try await channel.testingEventLoop.submit { stream.name("gen-1") }.get()
        _ = try await output()
        for _ in 0..<4 { await channel.testingEventLoop.advanceTime(by: .seconds(15)) }
        #expect(try await output().last == "data: {gen-1}\n\n")
        stream.finish()
    }

    @Test func `Silence in the middle brings a comment`() async throws {
        let stream = try await open()
        try await stream.send(ByteBuffer(string: "data: 1\n\n"))
        _ = try await output()
        await channel.testingEventLoop.advanceTime(by: .seconds(15))
        #expect(try await output() == [": keep-alive\n\n"])
        stream.finish()
    }

    @Test func `A failure before the headers is an ordinary answer`() async throws {
        let stream = try await open()
        async let status = stream.fail(
            .noKey, Response(OpenAIError(.noKey)), orEvent: { Array("data: error\n\n".utf8) })
        let parts = try await eventually { try await output() }
        #expect(parts.first == "401" && parts.last == "end")
        #expect(try await status == 401)
        await channel.testingEventLoop.advanceTime(by: .seconds(100))
        #expect(try await output() == [])
    }

    @Test func `A failure after the headers is an event and a proper end`() async throws {
        let stream = try await open()
        await channel.testingEventLoop.advanceTime(by: .seconds(15))
        #expect(try await output() == ["200"])
        async let status = stream.fail(
            .noKey, Response(OpenAIError(.noKey)), orEvent: { Array("data: error\n\n".utf8) })
        let parts = try await eventually { try await output() }
        #expect(parts == ["data: error\n\n", "end"])
        #expect(try await status == 200)
    }

    /// The socket of a client that has stopped reading: no write is ever complete.
    private final class FullSocket: ChannelOutboundHandler, Sendable {
        typealias OutboundIn = HTTPServerResponsePart
        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {}
    }

    @Test(.timeLimit(.minutes(5)), arguments: [false, true])
    func `A deadline ends the wait for a client that takes nothing`(sends: Bool) async throws {
        let stream = try await open()
        try await channel.pipeline.addHandler(FullSocket()).get()
        channel.isWritable = false
        let deadline = MovingDeadline(at: .seconds(5), for: .slowClient, on: ManualTime().source)
        let ends = Atomic(0)
        deadline.bind(.call { _ in ends.add(1, ordering: .relaxed) })
        let hasEnded = Atomic(false)
        let waiting = Task {
            defer { hasEnded.store(true, ordering: .releasing) }
            if sends {
                try await stream.send(ByteBuffer(string: "data: 1\n\n"), until: deadline)
            } else {
                try await stream.waitForCapacity(until: deadline)
            }
        }
        for _ in 0..<100 {
            await channel.testingEventLoop.run()
            await Task.yield()
        }
        #expect(deadline.check(at: .seconds(4)) != nil && !hasEnded.load(ordering: .acquiring))
        #expect(deadline.check(at: .seconds(5)) == nil)
        for _ in 0..<100_000 where !hasEnded.load(ordering: .acquiring) {
            await channel.testingEventLoop.run()
            await Task.yield()
        }
        await #expect(throws: MovingDeadline.Exceeded(cause: .slowClient)) { try await waiting.value }
        #expect(ends.load(ordering: .relaxed) == 1, "the call to the upstream, which was bound before, ends as well")
    }

    @Test(.timeLimit(.minutes(5))) func `A send to a client that takes nothing ends with its task`() async throws {
        let stream = try await open()
        try await channel.pipeline.addHandler(FullSocket()).get()
        channel.isWritable = false
        let hasEnded = Atomic(false)
        let sending = Task {
            defer { hasEnded.store(true, ordering: .releasing) }
            try await stream.send(ByteBuffer(string: "data: 1\n\n"))
        }
        for _ in 0..<100 {
            await channel.testingEventLoop.run()
            await Task.yield()
        }
        sending.cancel()
        for _ in 0..<100_000 where !hasEnded.load(ordering: .acquiring) {
            await channel.testingEventLoop.run()
            await Task.yield()
        }
        guard hasEnded.load(ordering: .acquiring) else {
            Issue.record("the send goes on")
            return
        }
        await #expect(throws: CancellationError.self) { try await sending.value }
    }

    @Test func `An interval of zero reassures nobody`() async throws {
        let stream = try await open(interval: .zero)
        await channel.testingEventLoop.advanceTime(by: .hours(1))
        #expect(try await output() == [])
        stream.finish()
        #expect(try await output() == ["200", "end"])
    }

    /// Runs the loop until it has written something: another task's call to it may not have been queued yet.
    private func eventually(_ read: () async throws -> [String]) async throws -> [String] {
        while true {
            let parts = try await read()
            if !parts.isEmpty { return parts }
            await Task.yield()
        }
    }
}
