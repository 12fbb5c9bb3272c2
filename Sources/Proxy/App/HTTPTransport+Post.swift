import NIOCore
import NIOHTTP1
import ProxyRouting

extension HTTPTransport {
    /// Posts a document to somebody who is no upstream, and reads the answer.
    ///
    /// - Parameters:
    ///   - headers: but for the length.
    ///   - patience: for all of it.
    ///   - read: is given the answer within that time.
    /// - Throws: as `send`, and what `read` throws.
    nonisolated(nonsending) func post<Result>(
        _ document: [UInt8], to url: String, headers: HTTPHeaders, within patience: Duration, on time: TimeSource,
        _ read: nonisolated(nonsending) (TransportResponse) async throws -> Result
    ) async throws -> Result {
        var headers = headers
        headers.add(name: "content-length", value: String(document.count))
        let request = TransportRequest(method: .POST, url: url, headers: headers, body: ByteBuffer(bytes: document))
        let deadline = MovingDeadline(at: time.now() + patience, for: .request, on: time)
        deadline.arm()
        defer { deadline.disarm() }
        return try await read(try await send(request, until: deadline))
    }
}
