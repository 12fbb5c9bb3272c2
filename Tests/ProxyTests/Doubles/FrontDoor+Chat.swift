import NIOCore
import NIOEmbedded
import NIOHTTP1
import Synchronization

@testable import Proxy
@testable import ProxyRouting

extension FrontDoor {
    private final class End: Sendable {
        let hasCome = Atomic(false)
    }

    func screen(_ head: HTTPRequestHead, by entrance: Entrance = .only) -> Admission.Verdict {
        screen(head, KnownFields(head.headers), by: entrance)
    }

    /// A request as it comes to this door.
    func request(_ head: HTTPRequestHead, body: [UInt8] = [], from peer: ClientPeer) -> ClientRequest {
        let fields = KnownFields(head.headers)
        let admission = Admission(screen(head, fields), of: head, fields, by: self)
        return ClientRequest(head: head, body: body, ticket: admission, peer: peer)
    }

    nonisolated(nonsending) func respond(to request: ClientRequest, on connection: ClientConnection) async {
        await request.ticket.respond(to: request, on: connection)
    }

    /// Status and body of the answer to a chat, through the whole door.
    func answer(toChat body: String) async throws -> (status: Int, body: String) {
        try await answer(.POST, "/v1/chat/completions", body)
    }

    /// What the operator sees there.
    func text(at path: String) async throws -> String { try await answer(.GET, path).body }

    /// Status and body of an answer, through the whole door.
    func answer(
        _ method: HTTPMethod, _ uri: String, _ body: String = "", headers: HTTPHeaders = [:],
        key: String = FrontDoor.key
    ) async throws -> (
        status: Int, body: String
    ) {
        let whole = try await wholeAnswer(method, uri, body, headers: headers, key: key)
        return (whole.status, whole.body)
    }

    /// The same with the fields of the head.
    func wholeAnswer(
        _ method: HTTPMethod, _ uri: String, _ body: String = "", headers: HTTPHeaders = [:],
        key: String = FrontDoor.key
    ) async throws -> (
        status: Int, headers: HTTPHeaders, body: String
    ) {
        var fields: HTTPHeaders = ["host": "localhost", "authorization": "Bearer \(key)"]
        fields.add(contentsOf: headers)
        return try await keylessAnswer(method, uri, body, headers: fields)
    }

    /// The same of a request that has no field but these.
    func keylessAnswer(_ method: HTTPMethod, _ uri: String, _ body: String = "", headers: HTTPHeaders) async throws -> (
        status: Int, headers: HTTPHeaders, body: String
    ) {
        let head = HTTPRequestHead(version: .http1_1, method: method, uri: uri, headers: headers)
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: 4000)
        let request = request(head, body: Array(body.utf8), from: ClientPeer(remote: address, local: address))
        let channel = NIOAsyncTestingChannel()
        let connection = try await ClientConnection.inParts(channel)
        let end = End()
        let answer = Task {
            await FakeTransport.$loop.withValue(channel.testingEventLoop) {
                await self.respond(to: request, on: connection)
            }
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
        // What is left of the upstream's body has its time.
        await channel.testingEventLoop.advanceTime(by: .seconds(1))
        var (status, text, fields) = (0, "", HTTPHeaders())
        while let part = try await channel.readOutbound(as: HTTPServerResponsePart.self) {
            switch part {
            case .head(let head): (status, fields) = (Int(head.status.code), head.headers)
            case .body(.byteBuffer(let bytes)): text += String(buffer: bytes)
            case .body, .end: break
            }
        }
        return (status, fields, text)
    }
}

extension Admission.Verdict {
    var refusal: Failure? {
        if case .refused(let failure, _) = self { failure } else { nil }
    }

    /// In one line.
    var title: String {
        switch self {
        case .admitted(let match, let caller): "\(match.endpoint.title) \(caller?.name ?? "-")"
        case .preflight: "preflight"
        case .refused(let failure, _): "\(failure)"
        }
    }
}

extension ClientRequest {
    /// What the door has made of it.
    var verdict: String { (ticket as? Admission)?.verdict.title ?? "" }
}
