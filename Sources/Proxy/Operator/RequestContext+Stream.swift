import NIOHTTP1

extension RequestContext {
    /// Begins an answer that is sent piece by piece. Whoever has begun it ends it.
    ///
    /// - Returns: nil for a HEAD, which has all of its answer by now.
    func begin(_ headers: HTTPHeaders) -> EventStream? {
        let stream = EventStream(
            on: connection, headers: decorated(headers), keepAliveInterval: .zero, keepAlive: { _, _ in [] })
        hasBegun = true
        record.status = 200
        guard request.head.method != .HEAD else {
            stream.finish()
            return nil
        }
        return stream
    }
}
