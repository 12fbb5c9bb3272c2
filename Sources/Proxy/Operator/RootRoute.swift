/// `GET /`: what this is, and where its doors are.
struct RootRoute: Sendable {
    let mode: String

    /// - Parameter endpoints: method and path of each.
    func answer(_ endpoints: [String]) -> Response {
        var writer = JSONWriter(capacity: 512)
        writer.beginObject()
        writer.key("name")
        writer.string("ociai-proxy")
        writer.key("version")
        writer.string(ProxyVersion.current)
        writer.key("mode")
        writer.string(mode)
        writer.key("endpoints")
        writer.beginArray()
        for endpoint in endpoints { writer.string(endpoint) }
        writer.endArray()
        writer.endObject()
        return .json(writer.bytes)
    }
}
