import NIOCore
import NIOEmbedded
import NIOHTTP1
import Synchronization

@testable import Proxy

extension FrontDoor {
    private final class End: Sendable {
        let hasCome = Atomic(false)
    }

    /// Status and body of the answer to a chat, through the whole door.
    func answer(toChat body: String) async throws -> (status: Int, body: String) {
        let head = HTTPRequestHead(
            version: .http1_1, method: .POST, uri: "/v1/chat/completions", headers: ["host": "localhost", "authorization": "Bearer \(FrontDoor.key)"])
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: 4000)
        let request = ClientRequest(
            head: head, body: Array(body.utf8), door: self, admission: screen(head), peer: ClientRequest.Peer(remote: address, local: address))
        let channel = NIOAsyncTestingChannel()
        let connection = try await ClientConnection.inParts(channel)
        let end = End()
        let answer = Task {
            await respond(to: request, on: connection)
            end.hasCome.store(true, ordering: .releasing)
        }
        // Whoever leaves, such as a test whose time is up, takes the request along.
        defer { answer.cancel() }
        // The answer is made on this loop.
        while !end.hasCome.load(ordering: .acquiring) {
            try Task.checkCancellation()
            await channel.testingEventLoop.run()
            await Task.yield()
        }
        await answer.value
        await channel.testingEventLoop.run()
        var (status, text) = (0, "")
        while let part = try await channel.readOutbound(as: HTTPServerResponsePart.self) {
            switch part {
            case .head(let head): status = Int(head.status.code)
            case .body(.byteBuffer(let bytes)): text += String(buffer: bytes)
            case .body, .end: break
            }
        }
        return (status, text)
    }
}
