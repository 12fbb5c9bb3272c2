import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import OCISimulator

/// One connection to the simulator, for one request after the other.
final class TestConnection: Sendable {
    enum Event: Sendable, Equatable {
        case head(status: Int, headers: [String: String])
        case body([UInt8])
        case end
        case closed(isReset: Bool)
    }

    private let channel: any Channel
    private let stream: AsyncStream<Event>

    private init(channel: any Channel, stream: AsyncStream<Event>) {
        self.channel = channel
        self.stream = stream
    }

    static func open(port: Int) async throws -> TestConnection {
        let (stream, continuation) = AsyncStream<Event>.makeStream()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(Collector(continuation))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        return TestConnection(channel: channel, stream: stream)
    }

    func send(_ request: SignedRequest) async throws {
        var headers = HTTPHeaders(request.headers.map { ($0.name, $0.value) })
        if !request.body.isEmpty, headers["content-length"].isEmpty {
            headers.add(name: "content-length", value: String(request.body.count))
        }
        let head = HTTPRequestHead(
            version: .http1_1, method: HTTPMethod(rawValue: request.method), uri: request.target, headers: headers)
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        channel.write(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(bytes: request.body))), promise: nil)
        try await channel.writeAndFlush(HTTPClientRequestPart.end(nil))
    }

    func close() async throws { try await channel.close() }

    /// What comes until the end of the answer or of the connection.
    func answer() async -> TestAnswer {
        var answer = TestAnswer()
        for await event in stream {
            switch event {
            case .head(let status, let headers):
                answer.status = status
                answer.headers = headers
            case .body(let bytes): answer.body += bytes
            case .end:
                answer.isComplete = true
                return answer
            case .closed(let isReset):
                answer.isReset = isReset
                return answer
            }
        }
        return answer
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = HTTPClientResponsePart
        private let continuation: AsyncStream<Event>.Continuation
        private var isReset = false

        init(_ continuation: AsyncStream<Event>.Continuation) { self.continuation = continuation }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                let headers = Dictionary(head.headers.map { ($0.name.lowercased(), $0.value) }) { first, _ in first }
                continuation.yield(.head(status: Int(head.status.code), headers: headers))
            case .body(let buffer): continuation.yield(.body(Array(buffer.readableBytesView)))
            case .end: continuation.yield(.end)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            if (error as? IOError)?.errnoCode == ECONNRESET { isReset = true }
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            continuation.yield(.closed(isReset: isReset))
            continuation.finish()
        }
    }
}

/// All of an answer.
struct TestAnswer: Sendable {
    var status: Int?
    var headers: [String: String] = [:]
    var body: [UInt8] = []
    /// The body ended as HTTP wants it.
    var isComplete = false
    /// The connection ended with RST.
    var isReset = false

    var text: String { String(decoding: body, as: UTF8.self) }

    /// What follows `data: `, one element per event.
    var events: [String] {
        text.split(separator: "\n").filter { $0.hasPrefix("data: ") }.map { String($0.dropFirst(6)) }
    }

    /// The texts of a GENERIC stream, joined.
    var streamedText: String {
        events.compactMap { event in
            (try? JSONParser.parse(Array(event.utf8)))?["message"]?["content"]?.array?.first?["text"]?.string
        }.joined()
    }
}
