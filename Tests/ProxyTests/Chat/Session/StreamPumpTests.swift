import NIOCore
import NIOEmbedded
import NIOHTTP1
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// What a pump does with each read of the upstream's socket: what leaves, why it pauses, and until when the next is
/// waited for.
@Suite struct StreamPumpTests {
    /// A pump between an upstream that speaks OCI's GENERIC format and a client, at moment zero of a clock that stands
    /// still.
    private final class Bench {
        let channel = EmbeddedChannel()
        let time = ManualTime()
        let report = AttemptReport()
        let deadline: MovingDeadline
        let stream: EventStream
        let pump: StreamPump

        /// - Parameter deadline: of the request.
        init(_ reader: ChatReader = .translator(.generic), deadline: Duration = .seconds(300), limit: Int = 10 << 20)
            throws
        {
            channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
            let connection = ClientConnection.inParts(channel)
            var limits = ChatCompletionsRoute.Limits.fixture
            (limits.idleTimeout, limits.answer) = (.seconds(40), limit)
            let source = time.source
            self.deadline = MovingDeadline(at: .seconds(5), for: .firstToken, on: source)
            let envelope = ChunkEnvelope(id: "chatcmpl-x", created: 1_700_000_000, model: "m").prepared
            let callContext = ChatCall.CallContext(
                limits: limits, time: source, deadline: deadline, envelope: envelope, includesUsage: true,
                executor: connection.executor)
            stream = EventStream(
                on: connection, headers: ["content-type": "text/event-stream"], keepAliveInterval: .seconds(60),
                keepAlive: { kind, id in
                    kind == .emptyEvent ? Array("data: {\(id ?? "")}\n\n".utf8) : KeepAliveSchedule.comment
                })
            pump = StreamPump(
                reader.relay(of: "up", in: envelope, includesUsage: true), to: stream, report, self.deadline,
                callContext)
        }

        deinit { _ = try? channel.finish(acceptAlreadyClosed: true) }

        /// Takes one read of the socket, and says why no more is taken; "-" when more is.
        @discardableResult
        func take(_ text: String) -> String {
            let takesMore = pump.take(ByteBuffer(string: text))
            let pause = word(pump.pause)
            #expect(takesMore == (pause == "-"))
            return pause
        }

        private func word(_ pause: StreamPump.Pause?) -> String {
            switch pause {
            case nil: "-"
            case .clientIsSlow: "slow"
            case .begun: "begun"
            case .complete: "complete"
            case .failed(let failure as Failure): "failed \(failure.code ?? "")"
            case .failed(let error): "failed \(error)"
            }
        }

        /// What has left since the last look: the status, and all bytes as one text.
        func output() throws -> [String] {
            var (parts, text) = ([String](), "")
            while let part = try channel.readOutbound(as: HTTPServerResponsePart.self) {
                switch part {
                case .head(let head): parts.append("\(head.status.code)")
                case .body(.byteBuffer(let bytes)): text += String(buffer: bytes)
                case .body, .end: parts.append("end")
                }
            }
            return text.isEmpty ? parts : parts + [text]
        }

        /// Until when what is next is waited for.
        var due: Duration? { deadline.check(at: time.now) }

        /// Lets the deadline pass, and says for what it stood.
        func causeOfDeadline() -> DeadlineCause? {
            #expect(deadline.check(at: .seconds(100_000)) == nil)
            return deadline.passed
        }
    }

    private typealias Events = GenericEvents

    /// The one telling event has no blank line behind it: another upstream may begin the answer.
    @Test func `A stream that ends in its first event has not begun`() throws {
        let bench = try Bench(.native(.messages, model: "m"))
        let cut = #"data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"# + "\n"
        #expect(bench.take(#"data: {"type":"message_start","message":{"id":"msg_1","model":"m"}}"# + "\n\n") == "-")
        #expect(bench.take(cut) == "-")
        #expect(bench.pump.end()?.kind == .failed(.incomplete))
        #expect(try bench.output() == [] && !bench.pump.hasBegun)
    }

    // MARK: Pauses

    @Test func `The first event that leaves is the beginning`() throws {
        let bench = try Bench()
        #expect(bench.take(": hello\n\n") == "-")
        #expect(try bench.output() == [] && !bench.pump.hasBegun && bench.report.content.firstEvent == nil)
        #expect(bench.due == .seconds(5), "it is still waited for as before")
        bench.time.advance(by: .seconds(3))
        #expect(bench.take(Events.text("one")) == "begun")
        let output = try bench.output()
        #expect(output.first == "200" && output.last?.contains(#""content":"one""#) == true)
        #expect(bench.pump.hasBegun && bench.report.content.firstEvent == .seconds(3))
        #expect(bench.due == .seconds(43))
        #expect(bench.causeOfDeadline() == .idleTimeout)
    }

    @Test func `An event behind the first is taken on the spot, and moves the deadline`() throws {
        let bench = try Bench()
        bench.take(Events.text("one"))
        _ = try bench.output()
        bench.time.advance(by: .seconds(30))
        #expect(bench.take(Events.text("two")) == "-")
        #expect(try bench.output().first?.contains(#""content":"two""#) == true)
        #expect(bench.due == .seconds(70))
        #expect(bench.report.content.firstEvent == .zero)
    }

    @Test func `Half an event breaks the silence, and nothing of it leaves`() throws {
        let bench = try Bench()
        bench.take(Events.text("one"))
        _ = try bench.output()
        bench.time.advance(by: .seconds(30))
        #expect(bench.take(String(Events.text("two").dropLast(5))) == "-")
        #expect(try bench.output() == [] && bench.due == .seconds(70))
    }

    @Test func `A client that takes no more is waited for, and not the upstream`() throws {
        let bench = try Bench()
        bench.take(Events.text("one"))
        bench.channel.isWritable = false
        bench.time.advance(by: .seconds(10))
        #expect(bench.take(Events.text("two")) == "slow")
        #expect(bench.due == .seconds(50))
        #expect(try bench.output().last?.contains("two") == true, "what has been taken is on its way")
        bench.channel.isWritable = true
        #expect(bench.take(Events.text("three")) == "-")
        #expect(bench.causeOfDeadline() == .idleTimeout)
    }

    @Test func `A slow client's deadline is told as its own`() throws {
        let bench = try Bench()
        bench.take(Events.text("one"))
        bench.channel.isWritable = false
        bench.take(Events.text("two"))
        #expect(bench.causeOfDeadline() == .slowClient)
    }

    @Test func `The end of an answer is complete at once, whatever follows`() throws {
        let bench = try Bench()
        bench.take(Events.text("one"))
        #expect(bench.take(Events.finish + Events.usage + Events.done + Events.text("more")) == "complete")
        let output = try bench.output()
        #expect(output.last?.hasSuffix("data: [DONE]\n\n") == true && output.last?.contains("more") == false)
        #expect(bench.take(Events.text("still more")) == "complete")
        #expect(bench.pump.end() == nil)
        #expect(try bench.output() == [], "nothing leaves behind the end")
    }

    @Test func `A whole answer in one read is complete and not only begun`() throws {
        let bench = try Bench()
        #expect(bench.take(Events.text("one", finish: "stop") + Events.done) == "complete")
        #expect(bench.pump.hasBegun && bench.report.content.firstEvent == .zero)
    }

    @Test func `An error in the middle fails it, behind what was said before`() throws {
        let bench = try Bench()
        bench.take(Events.text("one"))
        _ = try bench.output()
        #expect(bench.take(Events.text("two") + Events.error("no more")).hasPrefix("failed "))
        let output = try bench.output()
        #expect(output.last?.contains(#""content":"two""#) == true && output.last?.contains("no more") == false)
    }

    @Test func `An error in place of the first event leaves no trace`() throws {
        let bench = try Bench()
        #expect(bench.take(Events.error("no")).hasPrefix("failed "))
        #expect(try bench.output() == [] && !bench.pump.hasBegun && bench.report.content.firstEvent == nil)
    }

    // MARK: Splits

    /// The client gets the same bytes, the beginning comes once, and the end is last.
    @Test(arguments: 0..<UInt64(100))
    func `Bytes may be cut anywhere`(seed: UInt64) throws {
        let text =
            ": hello\r\n\r\n" + Events.text("one") + Events.text("tw\\u00f6 – ü") + ": wait\n\n" + Events.text("three")
            + Events.finish + Events.usage + Events.done
        let whole = try Bench()
        #expect(whole.take(text) == "complete")
        var random = SplitMix64(seed: seed)
        let bench = try Bench()
        var pauses: [String] = []
        for piece in Fuzz.pieces(of: Array(text.utf8), &random) {
            let takesMore = bench.pump.take(ByteBuffer(bytes: piece))
            #expect(takesMore == (bench.pump.pause == nil))
            let pause =
                switch bench.pump.pause {
                case nil: "-"
                case .begun: "begun"
                case .complete: "complete"
                case .clientIsSlow, .failed: "?"
                }
            pauses.append(pause)
        }
        #expect(try bench.output() == whole.output())
        #expect(pauses.last == "complete" && !pauses.contains("?"))
        let first = pauses.first { $0 != "-" }
        #expect(pauses.count { $0 == "begun" } == (first == "begun" ? 1 : 0))
    }

    // MARK: The tail

    @Test func `Behind all finish reasons little is waited for`() throws {
        let bench = try Bench()
        #expect(bench.take(Events.text("one", finish: "stop")) == "begun")
        #expect(bench.due == ChatCall.tailLimit)
        bench.time.advance(by: .seconds(10))
        #expect(bench.take(Events.usage) == "-")
        #expect(bench.causeOfDeadline() == .tail)
    }

    @Test func `What goes on behind a finish reason has the time of a stream again`() throws {
        let bench = try Bench()
        bench.take(Events.text("one", finish: "stop"))
        #expect(bench.take(Events.text("two")) == "-")
        #expect(bench.due == .seconds(40))
        #expect(bench.causeOfDeadline() == .idleTimeout)
    }

    @Test(arguments: [(300, 15), (10, 10)])
    func `A finish reason without a word has no more time than the request`(request: Int, due: Int) throws {
        let bench = try Bench(deadline: .seconds(request))
        #expect(bench.take(Events.finish) == "-")
        #expect(!bench.pump.hasBegun && bench.due == .seconds(due))
        #expect(bench.causeOfDeadline() == .tail)
    }

    // MARK: The end of the body

    @Test func `A body that ends behind the finish reasons has its end written`() throws {
        let bench = try Bench()
        bench.take(Events.text("one", finish: "stop"))
        _ = try bench.output()
        #expect(bench.pump.end() == nil)
        let output = try bench.output().last ?? ""
        #expect(output.contains(#""finish_reason":"stop""#) && output.hasSuffix("data: [DONE]\n\n"))
    }

    @Test func `A body that ends before them is not whole`() throws {
        let bench = try Bench()
        bench.take(Events.text("one"))
        _ = try bench.output()
        #expect(bench.pump.end()?.code == "upstream_stream_incomplete")
        #expect(try bench.output() == [])
    }

    @Test func `The books get the tokens and what was odd`() throws {
        let bench = try Bench()
        bench.take(Events.text("one") + "data: nonsense\n\n" + Events.finish + Events.usage + Events.done)
        #expect(bench.report.content.usage == nil)
        bench.pump.tell(bench.report)
        #expect(bench.report.content.usage == TokenUsage(prompt: 3, completion: 4, total: 7))
        #expect(bench.report.content.unreadableEvents == 1)
        #expect(bench.report.content.oddities.contains(.unreadableEvents))
    }

    // MARK: A document in place of a stream

    @Test func `A document is kept, and waited for as long as the request has`() throws {
        let bench = try Bench()
        let document = Events.document("one")
        #expect(bench.take(" \n" + String(document.prefix(20))) == "-")
        #expect(bench.take(String(document.dropFirst(20))) == "-")
        #expect(bench.pump.document == Array(document.utf8))
        #expect(try bench.output() == [] && !bench.pump.hasBegun)
        #expect(bench.due == .seconds(300))
        #expect(bench.causeOfDeadline() == .request)
    }

    @Test func `A document that is too long fails it`() throws {
        let bench = try Bench(limit: 30)
        #expect(bench.take("{" + String(repeating: " ", count: 29)) == "-")
        #expect(bench.take(" ").hasPrefix("failed tooLarge"))
    }

    @Test func `Behind the first event nothing is a document`() throws {
        let bench = try Bench()
        bench.take(Events.text("one"))
        bench.take("{}\n\n")
        #expect(bench.pump.document == nil)
    }

    // MARK: An upstream that speaks the client's language

    @Test func `The events that are made here have the upstream's ID`() throws {
        let bench = try Bench(.passThrough(model: "m"))
        bench.stream.open()
        let chunk =
            #"data: {"id":"gen-1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"one"}}]}"#
            + "\n\n"
        #expect(bench.take(chunk) == "begun")
        _ = try bench.output()
        bench.channel.embeddedEventLoop.advanceTime(by: .seconds(60))
        #expect(try bench.output() == ["data: {gen-1}\n\n"])
    }
}
