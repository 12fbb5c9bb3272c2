import NIOCore
import NIOEmbedded
import ProxyCluster
import Testing

@testable import ProxyEngine

/// Bytes and time by hand.
@Suite struct EngineHandlerTests {
    private final class Line {
        let channel: EmbeddedChannel
        let handler: EngineHandler
        let outcomes = Recorder<Result<RESP, EngineFailure>>()
        let messages = Recorder<[UInt8]>()

        init(limits: RESPReader.Limits = .init(), listens: Bool = false) throws {
            let (loop, messages) = (EmbeddedEventLoop(), messages)
            let hear: @Sendable ([UInt8]) -> Void = { messages.add($0) }
            handler = EngineHandler(on: loop, limits: limits, hear: listens ? hear : nil)
            channel = EmbeddedChannel(handler: handler, loop: loop)
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 6_379)).wait()
        }

        func ask(_ words: String..., within limit: Duration = .seconds(1)) {
            let outcomes = outcomes
            handler.ask(RESPCommand(words.map { Array($0.utf8) }).bytes, within: limit, in: channel).whenComplete {
                outcomes.add($0.mapError { $0 as? EngineFailure ?? .unreachable("\($0)") })
            }
        }

        func say(_ text: String) throws { try say(Array(text.utf8)) }
        func say(_ bytes: [UInt8]) throws { try channel.writeInbound(ByteBuffer(bytes: bytes)) }

        /// What has been written since the last call.
        func written() throws -> String {
            var text = ""
            while let bytes = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: bytes) }
            return text
        }

        func pass(_ time: TimeAmount) { channel.embeddedEventLoop.advanceTime(by: time) }
    }

    private static let ping = "*1\r\n$4\r\nPING\r\n"
    private static let pong = "*2\r\n$4\r\npong\r\n$0\r\n\r\n"

    @Test func `What is asked first is answered first`() throws {
        let line = try Line()
        line.ask("GET", "a")
        line.ask("GET", "b")
        #expect(try line.written() == "*2\r\n$3\r\nGET\r\n$1\r\na\r\n*2\r\n$3\r\nGET\r\n$1\r\nb\r\n")
        try line.say(":1\r\n$3\r\nab")
        #expect(line.outcomes.all == [.success(.integer(1))])
        try line.say("c\r\n")
        #expect(line.outcomes.all == [.success(.integer(1)), .success(.string(Array("abc".utf8)))])
        #expect(line.channel.isActive)
    }

    @Test func `An error is an answer, and the connection goes on`() throws {
        let line = try Line()
        line.ask("GET")
        try line.say("-ERR no\r\n")
        #expect(line.outcomes.all == [.success(.error(Array("ERR no".utf8)))])
        #expect(line.channel.isActive)
    }

    @Test func `An answer that does not come in time closes the connection, for all who wait`() throws {
        let line = try Line()
        line.ask("A", within: .seconds(2))
        line.ask("B", within: .seconds(9))
        try line.say("$10\r\nhalf of")
        line.pass(.milliseconds(1_999))
        #expect(line.outcomes.all.isEmpty)
        line.pass(.milliseconds(1))
        #expect(line.outcomes.all == [.failure(.timedOut), .failure(.timedOut)])
        #expect(!line.channel.isActive)
        line.ask("C")
        #expect(line.outcomes.all.last == .failure(.timedOut))
        #expect(line.outcomes.all.count == 3)
    }

    @Test func `One that is answered in time is not counted against the next`() throws {
        let line = try Line()
        line.ask("A")
        try line.say("+OK\r\n")
        line.pass(.seconds(5))
        line.ask("B")
        #expect(line.channel.isActive)
        try line.say("+OK\r\n")
        #expect(line.outcomes.all.count == 2)
    }

    @Test func `After the end, nothing is asked`() throws {
        let line = try Line()
        line.ask("A")
        try line.channel.close().wait()
        line.ask("B")
        #expect(line.outcomes.all == [.failure(.closed), .failure(.closed)])
        _ = try line.written()
        line.handler.end(.malformed, line.channel)
        line.ask("C")
        #expect(line.outcomes.all.last == .failure(.closed))
        #expect(try line.written().isEmpty)
    }

    @Test func `So many may wait and no more`() throws {
        let line = try Line()
        for _ in 0..<EngineHandler.mostAsked + 1 { line.ask("A") }
        #expect(line.outcomes.all.count == 1)
        guard case .failure(.unable) = line.outcomes.all[0] else {
            Issue.record("another outcome")
            return
        }
        try line.say("+OK\r\n")
        line.ask("A")
        #expect(line.outcomes.all.count == 2)
        #expect(line.channel.isActive)
    }

    @Test(arguments: [
        ("HTTP/1.1 400 Bad Request\r\n\r\n", EngineFailure.malformed), ("_\r\n", .malformed),
        ("\u{15}\u{3}\u{1}\0\u{2}\u{2}F", .tls("it speaks TLS: the address must begin with rediss://")),
        ("*2147483647\r\n", .unable("its answer is larger than any that is read")),
        ("$200000\r\n" + String(repeating: "a", count: 150_000), .unable("its answer is larger than any that is read")),
    ])
    func `What is no answer ends the connection`(text: String, failure: EngineFailure) throws {
        var limits = RESPReader.Limits()
        limits.bytes = 100_000
        let line = try Line(limits: limits)
        line.ask("A")
        try line.say(text)
        #expect(line.outcomes.all == [.failure(failure)])
        #expect(!line.channel.isActive)
    }

    @Test(arguments: [
        ("-ERR max number of clients reached\r\n", "max number of clients"),
        ("-DENIED Redis is running in protected mode\r\n", "protected mode"),
        ("+OK\r\n", "does not speak"),
    ])
    func `What nobody has asked for ends the connection, and says why`(text: String, words: String) throws {
        let line = try Line()
        try line.say(text)
        #expect(!line.channel.isActive)
        line.ask("A")
        guard case .failure(let failure) = line.outcomes.all.first else {
            Issue.record("another outcome")
            return
        }
        #expect(failure.words.contains(words))
    }

    // MARK: Subscriptions

    @Test func `Messages of any bytes, many at once or in pieces`() throws {
        let line = try Line(listens: true)
        line.ask("SUBSCRIBE", "news")
        try line.say(
            "*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n" + PlayedEngine.message("a") + PlayedEngine.message("b"))
        #expect(line.outcomes.all.count == 1)
        #expect(line.messages.all == [[0x61], [0x62]])

        let any = (0...255).map { UInt8($0) } + Array("\r\n*3\r\n$7\r\nmessage\r\n".utf8)
        let whole = Array("*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$\(any.count)\r\n".utf8) + any + [0x0D, 0x0A]
        for byte in whole { try line.say([byte]) }
        #expect(line.messages.all.last == any)
        #expect(line.messages.all.count == 3)
        try line.say(PlayedEngine.message(""))
        #expect(line.messages.all.last == [])
        #expect(line.outcomes.all.count == 1)
    }

    @Test func `What looks like a message is an answer where nobody listens`() throws {
        let line = try Line()
        line.ask("LRANGE", "a", "0", "-1")
        try line.say(PlayedEngine.message("a"))
        #expect(line.outcomes.all.count == 1)
    }

    @Test func `Nothing is heard any more when it has ended`() throws {
        let line = try Line(listens: true)
        try line.say(PlayedEngine.message("a") + "+OK\r\n" + PlayedEngine.message("b"))
        #expect(line.messages.all == [[0x61]])
        #expect(!line.channel.isActive)
    }

    @Test func `Who listens is asked for a sign of life, and ends without one`() throws {
        let line = try Line(listens: true)
        line.handler.watch(every: .seconds(5), within: .seconds(2), in: line.channel)
        for _ in 0..<3 {
            line.pass(.milliseconds(4_999))
            #expect(try line.written().isEmpty)
            line.pass(.milliseconds(1))
            #expect(try line.written() == Self.ping)
            line.pass(.seconds(1))
            try line.say(PlayedEngine.message("a") + Self.pong)
        }
        #expect(line.messages.all.count == 3)
        line.pass(.seconds(5))
        line.pass(.milliseconds(1_999))
        // Messages are no sign: the answer comes behind all that was told before it.
        try line.say(PlayedEngine.message("b"))
        #expect(line.channel.isActive)
        line.pass(.milliseconds(1))
        #expect(!line.channel.isActive)
        line.ask("A")
        #expect(line.outcomes.all == [.failure(.timedOut)])
    }

    @Test func `A user that may not ask for it gets an answer all the same`() throws {
        let line = try Line(listens: true)
        line.handler.watch(every: .seconds(5), within: .seconds(2), in: line.channel)
        line.pass(.seconds(5))
        try line.say("-NOPERM this user has no permissions to run the 'ping' command\r\n")
        line.pass(.seconds(4))
        #expect(line.channel.isActive)
        line.pass(.seconds(1))
        #expect(try line.written() == Self.ping + Self.ping)
    }

    @Test func `After the end nobody is asked`() throws {
        let line = try Line(listens: true)
        line.handler.watch(every: .seconds(5), within: .seconds(2), in: line.channel)
        try line.channel.close().wait()
        line.pass(.seconds(60))
        #expect(try line.written().isEmpty)
    }
}
