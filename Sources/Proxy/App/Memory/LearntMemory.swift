import ProxyAccounting
import ProxyRouting

/// What a process has learnt and the next one should know, as one small document: of upstreams, of models, and which prices were in use.
struct LearntMemory: Equatable, Sendable {
    /// Under which the ledger has it.
    static let name = "learnt"

    struct Upstream: Equatable, Sendable {
        var id: String
        /// Whether it is the same that has that id now (`UpstreamIdentity.mark`).
        var mark: String
        var memory: UpstreamMemory
        /// Ids of models that it has refused as retired or unknown since it last listed them.
        var refusedModels: [String]
    }

    /// Of the built-in prices.
    var prices: String
    var upstreams: [Upstream] = []
    var quirks: [QuirkMemory] = []

    /// What an upstream has been found to take is worth nothing on another day.
    private static let limitLifetime: Int64 = 86_400

    /// - Parameters:
    ///   - now: seconds since 1970, from which the times that are left count.
    ///   - savedAt: what it says about when it was written.
    func document(at now: Int64, savedAt: Int64) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("version")
        writer.int(1)
        writer.key("saved_at")
        writer.int(Int(savedAt))
        writer.key("prices")
        writer.string(prices)
        writer.key("upstreams")
        writer.beginArray()
        for upstream in upstreams { Self.write(upstream, to: &writer, at: now) }
        writer.endArray()
        writer.key("quirks")
        writer.beginArray()
        for quirk in quirks { quirk.write(to: &writer, at: now) }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }

    private static func write(_ upstream: Upstream, to writer: inout JSONWriter, at now: Int64) {
        writer.beginObject()
        writer.key("id")
        writer.string(upstream.id)
        writer.key("mark")
        writer.string(upstream.mark)
        if let rest = upstream.memory.rest { write(rest, to: &writer, at: now) }
        writer.key("models")
        writer.beginArray()
        for (id, model) in upstream.memory.models.sorted(by: { $0.key < $1.key }) {
            writer.beginObject()
            writer.key("id")
            writer.string(id)
            if let rest = model.rest { write(rest, to: &writer, at: now) }
            if let limit = model.limit {
                writer.key("limit")
                writer.int(limit)
            }
            writer.endObject()
        }
        writer.endArray()
        writer.key("refused_models")
        writer.strings(upstream.refusedModels)
        writer.endObject()
    }

    private static func write(_ rest: UpstreamMemory.Rest, to writer: inout JSONWriter, at now: Int64) {
        writer.key("rest_until")
        writer.int(Int(now + (rest.left + .milliseconds(999)).components.seconds))
        writer.key("is_throttle")
        writer.bool(rest.isThrottle)
        writer.key("streak")
        writer.int(rest.streak)
    }

    /// - Parameter now: seconds since 1970.
    /// - Returns: nil for what is not understood. What is too old is left out.
    init?(document: [UInt8], at now: Int64) {
        guard let root = try? JSONDocument(parsing: document).root, root.kind == .object, root["version"]?.int == 1,
            let savedAt = root["saved_at"]?.int.map(Int64.init), savedAt >= 0
        else { return nil }
        prices = root["prices"]?.string ?? ""
        let knowsLimits = (0...Self.limitLifetime).contains(now - savedAt)
        upstreams = root.elements(of: "upstreams").compactMap { value in
            guard let id = value["id"]?.string, let mark = value["mark"]?.string else { return nil }
            var memory = UpstreamMemory(rest: Self.rest(value, at: now))
            for model in value.elements(of: "models") {
                guard let id = model["id"]?.string else { continue }
                let one = UpstreamMemory.Model(
                    rest: Self.rest(model, at: now), limit: knowsLimits ? model["limit"]?.int : nil)
                if !one.isEmpty { memory.models[id] = one }
            }
            return Upstream(
                id: id, mark: mark, memory: memory,
                refusedModels: value.elements(of: "refused_models").compactMap(\.string))
        }
        quirks = root.elements(of: "quirks").compactMap { QuirkMemory($0, at: now) }
    }

    private static func rest(_ value: JSONValue, at now: Int64) -> UpstreamMemory.Rest? {
        guard let until = value["rest_until"]?.int.map(Int64.init), until > now, until < 1 << 40 else { return nil }
        return UpstreamMemory.Rest(
            left: .seconds(until - now), isThrottle: value["is_throttle"]?.bool ?? true,
            streak: value["streak"]?.int ?? 1)
    }

    init(prices: String) { self.prices = prices }
}
