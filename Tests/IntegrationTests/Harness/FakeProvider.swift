import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// An OpenAI-compatible provider on a port of its own that answers as a test tells it to.
final class FakeProvider: Sendable {
    /// A call as it came.
    struct Call: Sendable {
        /// Counts the calls from 1, without those for the list of models.
        var number: Int
        var model: String
        /// What the last message says.
        var text: String
        var streams: Bool
        /// The key that came with it.
        var token: String
        var arrived: ContinuousClock.Instant
        /// How many calls are under way here, with this one.
        var inFlight: Int
    }

    /// What a call is answered with.
    struct Reply: Sendable {
        var status = 200
        var headers: [(String, String)] = [("content-type", "application/json")]
        /// Written one after the other.
        var pieces: [String] = []
        /// Before the first byte.
        var delay = Duration.zero
        /// Written `pause` behind the pieces.
        var late: [String] = []
        var pause = Duration.zero
        /// Neither the answer nor the connection ends.
        var staysOpen = false

        /// A whole answer, or a stream when the call wants one.
        static func answer(
            _ text: String = "well", to call: Call, after delay: Duration = .zero, finish: String = "stop"
        ) -> Reply {
            var reply = Reply(delay: delay)
            let named = #""id":"c","created":7,"model":"\#(call.model)""#
            if call.streams {
                reply.headers = [("content-type", "text/event-stream")]
                let said = text.isEmpty ? [] : [#"{"role":"assistant","content":"\#(text)"}"#]
                reply.pieces =
                    said.map { chunk(named, $0, "null") } + [chunk(named, "{}", "\"\(finish)\""), "data: [DONE]\n\n"]
            } else {
                let usage = #""usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}"#
                let choice =
                    #"{"index":0,"message":{"role":"assistant","content":"\#(text)"},"finish_reason":"\#(finish)"}"#
                reply.pieces = [#"{\#(named),"object":"chat.completion","choices":[\#(choice)],\#(usage)}"#]
            }
            return reply
        }

        /// A stream that has begun and goes on for ever.
        static func endlessStream(to call: Call) -> Reply {
            var reply = answer(to: call)
            reply.pieces = Array(reply.pieces.prefix(1))
            reply.staysOpen = true
            return reply
        }

        /// No byte at all.
        static let silence = Reply(pieces: [], staysOpen: true)

        /// A refusal.
        static func error(_ status: Int, _ message: String = "no", code: String? = nil, retryAfter: Int? = nil) -> Reply
        {
            let code = code.map { "\"\($0)\"" } ?? "null"
            var reply = Reply(
                status: status, pieces: [#"{"error":{"message":"\#(message)","type":"error","code":\#(code)}}"#])
            if let retryAfter { reply.headers.append(("retry-after", "\(retryAfter)")) }
            return reply
        }

        private static func chunk(_ named: String, _ delta: String, _ finish: String) -> String {
            #"data: {\#(named),"object":"chat.completion.chunk","choices":[{"index":0,"delta":\#(delta),"finish_reason":\#(finish)}]}"#
                + "\n\n"
        }
    }

    typealias Behaviour = @Sendable (Call) -> Reply

    private struct State {
        var behaviour: Behaviour
        var calls: [Call] = []
        var inFlight = 0
    }

    /// The models that it lists.
    let models: [String]
    private let state: Mutex<State>
    private let channel = Mutex<(any Channel)?>(nil)

    private init(_ models: [String], _ behaviour: @escaping Behaviour) {
        self.models = models
        state = Mutex(State(behaviour: behaviour))
    }

    static func start(models: [String] = ["m1", "m2"], _ behaviour: @escaping Behaviour = { .answer(to: $0) })
        async throws -> FakeProvider
    {
        let provider = FakeProvider(models, behaviour)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(provider))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        provider.channel.withLock { $0 = channel }
        return provider
    }

    func stop() async { try? await channel.withLock { $0 }?.close() }

    var url: String { "http://127.0.0.1:\(channel.withLock { $0?.localAddress?.port } ?? 0)/v1" }

    /// The calls so far, without those for the list of models.
    var calls: [Call] { state.withLock { $0.calls } }

    /// From now on it does this.
    func setBehaviour(_ behaviour: @escaping Behaviour) { state.withLock { $0.behaviour = behaviour } }

    fileprivate func reply(to body: [UInt8], token: String) -> Reply {
        let json = (try? JSONSerialization.jsonObject(with: Data(body))) as? [String: Any] ?? [:]
        let text = (json["messages"] as? [[String: Any]])?.last?["content"] as? String
        let (call, behaviour) = state.withLock { state in
            state.inFlight += 1
            let call = Call(
                number: state.calls.count + 1, model: json["model"] as? String ?? "", text: text ?? "",
                streams: json["stream"] as? Bool ?? false,
                token: token, arrived: .now, inFlight: state.inFlight)
            state.calls.append(call)
            return (call, state.behaviour)
        }
        return behaviour(call)
    }

    fileprivate func ended() { state.withLock { $0.inFlight -= 1 } }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let provider: FakeProvider
        private var head: HTTPRequestHead?
        private var body: [UInt8] = []
        private var isAnswering = false

        init(_ provider: FakeProvider) { self.provider = provider }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): (self.head, body) = (head, [])
            case .body(let bytes): body += Array(bytes.readableBytesView)
            case .end: answer(context)
            }
        }

        func channelInactive(context: ChannelHandlerContext) { ended() }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        private func answer(_ context: ChannelHandlerContext) {
            guard let head else { return }
            guard head.method == .POST else {
                let list = provider.models.map { #"{"id":"\#($0)","object":"model","created":7}"# }.joined(
                    separator: ",")
                return write(.init(pieces: [#"{"object":"list","data":[\#(list)]}"#]), context)
            }
            isAnswering = true
            let reply = provider.reply(
                to: body, token: head.headers.first(name: "authorization")?.replacing("Bearer ", with: "") ?? "")
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            context.eventLoop.scheduleTask(in: TimeAmount(reply.delay)) {
                let (handler, context) = bound.value
                if context.channel.isActive { handler.write(reply, context) }
            }
        }

        private func write(_ reply: Reply, _ context: ChannelHandlerContext) {
            guard !reply.pieces.isEmpty || !reply.staysOpen else { return }
            var headers = HTTPHeaders(reply.headers)
            if !reply.staysOpen {
                headers.add(
                    name: "content-length", value: "\((reply.pieces + reply.late).reduce(0) { $0 + $1.utf8.count })")
            }
            context.write(
                wrapOutboundOut(
                    .head(.init(version: .http1_1, status: .init(statusCode: reply.status), headers: headers))),
                promise: nil)
            for piece in reply.pieces {
                context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: piece)))), promise: nil)
            }
            guard !reply.staysOpen else { return context.flush() }
            guard !reply.late.isEmpty else { return finish(context) }
            context.flush()
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            context.eventLoop.scheduleTask(in: TimeAmount(reply.pause)) {
                let (handler, context) = bound.value
                guard context.channel.isActive else { return }
                for piece in reply.late {
                    context.write(handler.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: piece)))), promise: nil)
                }
                handler.finish(context)
            }
        }

        private func finish(_ context: ChannelHandlerContext) {
            // Before the last byte is out: whoever has read it may come at once.
            ended()
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }

        private func ended() {
            if isAnswering { provider.ended() }
            isAnswering = false
        }
    }
}
