import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import Proxy

/// Leaves the parts of an answer in its channel as they are, for a test to look at.
private final class PartsWriter: ResponseWriter {
    private let channel: any Channel

    init(_ channel: any Channel) { self.channel = channel }

    func write(_ head: HTTPResponseHead) { channel.write(HTTPServerResponsePart.head(head), promise: nil) }
    func write(_ piece: ByteBuffer, promise: EventLoopPromise<Void>?) {
        channel.write(HTTPServerResponsePart.body(.byteBuffer(piece)), promise: promise)
    }
    func write(_ piece: [UInt8]) { write(ByteBuffer(bytes: piece), promise: nil) }
    func writeEnd() { channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil) }
    func flush() { channel.flush() }
}

extension ClientConnection {
    /// Without a handler: the answers are `HTTPServerResponsePart`s in the channel.
    static func inParts(_ channel: NIOAsyncTestingChannel) async throws -> ClientConnection {
        try await channel.testingEventLoop.executeInContext {
            ClientConnection(channel, writer: PartsWriter(channel), executor: EventLoopExecutor(channel.eventLoop))
        }
    }

    /// The same in a test that is on the channel's event loop throughout.
    static func inParts(_ channel: EmbeddedChannel) -> ClientConnection {
        ClientConnection(channel, writer: PartsWriter(channel), executor: EventLoopExecutor(channel.eventLoop))
    }
}

extension EmbeddedChannel {
    /// What writes to a channel with a connection's handlers.
    var answers: ConnectionHandler {
        get throws { try pipeline.syncOperations.handler(type: ConnectionHandler.self) }
    }

    func write(_ answer: Response, withoutBody: Bool = false) {
        #expect(throws: Never.self) { try answers.write(answer, withoutBody: withoutBody) }
    }
}

extension AsyncStream<ClientRequest>.Continuation: RequestReceiver {
    func put(_ request: ClientRequest) { yield(request) }
}
