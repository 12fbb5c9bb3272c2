import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A provider that takes large forms, and looks at how they come.
final class UploadServer: Sendable {
    enum Manner: Sendable {
        /// Reads all of it, then answers with a transcription.
        case takes
        /// Answers with that status when so much has come, and reads no more.
        case refuses(status: Int, after: Int)
        /// Reads no more when so much has come.
        case stalls(after: Int)
    }

    struct Upload: Sendable {
        var head: HTTPRequestHead
        var body: [UInt8] = []
        var isComplete = false
        var isGone = false
    }

    private let state: Mutex<(manner: Manner, uploads: [Upload])>
    private let channel = Mutex<(any Channel)?>(nil)
    private let connections = Mutex<[any Channel]>([])

    private init(_ manner: Manner) { state = Mutex((manner, [])) }

    static func start(_ manner: Manner = .takes) async throws -> UploadServer {
        let server = UploadServer(manner)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(server))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        server.channel.withLock { $0 = channel }
        return server
    }

    func stop() async { try? await channel.withLock { $0 }?.close() }

    /// Closes all connections.
    func hangUp() async {
        for connection in connections.withLock({ $0 }) { try? await connection.close() }
    }

    var url: String { "http://127.0.0.1:\(channel.withLock { $0?.localAddress?.port } ?? 0)/v1" }
    var uploads: [Upload] { state.withLock { $0.uploads } }
    func set(_ manner: Manner) { state.withLock { $0.manner = manner } }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let server: UploadServer
        private var number = 0
        private var hasAnswered = false

        init(_ server: UploadServer) { self.server = server }

        func channelActive(context: ChannelHandlerContext) {
            let channel = context.channel
            server.connections.withLock { $0.append(channel) }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                hasAnswered = false
                number = server.state.withLock { state in
                    state.uploads.append(Upload(head: head))
                    return state.uploads.count - 1
                }
            case .body(let bytes):
                let (manner, count) = server.state.withLock { [number] state in
                    state.uploads[number].body += Array(bytes.readableBytesView)
                    return (state.manner, state.uploads[number].body.count)
                }
                switch manner {
                case .takes: break
                case .refuses(let status, let after) where count >= after: answer(status, context)
                case .stalls(let after) where count >= after:
                    context.channel.setOption(.autoRead, value: false).whenFailure { _ in }
                case .refuses, .stalls: break
                }
            case .end:
                server.state.withLock { [number] in $0.uploads[number].isComplete = true }
                answer(200, context)
            }
        }

        func channelInactive(context: ChannelHandlerContext) {
            server.state.withLock { [number] state in
                if state.uploads.indices.contains(number) { state.uploads[number].isGone = true }
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        private func answer(_ status: Int, _ context: ChannelHandlerContext) {
            guard !hasAnswered else { return }
            hasAnswered = true
            let body =
                status == 200
                ? #"{"text":"heard"}"# : #"{"error":{"message":"not this file","type":"invalid_request_error"}}"#
            let headers: HTTPHeaders = ["content-type": "application/json", "content-length": "\(body.utf8.count)"]
            context.write(
                wrapOutboundOut(.head(.init(version: .http1_1, status: .init(statusCode: status), headers: headers))),
                promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: body)))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}
