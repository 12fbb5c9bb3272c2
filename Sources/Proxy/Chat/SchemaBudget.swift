import ProxyRouting

/// What the JSON schemas of one request may be together: each is read several times, and may refer to itself.
struct SchemaBudget {
    /// Bytes of one schema. Those of the largest sets of tools have some hundred thousand.
    static let mostBytes = 1 << 20
    /// Bytes of all.
    static let mostBytesOfAll = 4 << 20
    /// Values in all of them.
    static let mostValues = 250_000

    private var bytes = 0
    private var values = 0

    /// Counts a schema.
    ///
    /// - Throws: `Failure` 400 when it is too large, or too much with those before it.
    mutating func take(_ schema: RequestField) throws(Failure) {
        let size = schema.value.raw.count
        guard size <= Self.mostBytes else {
            throw schema.invalid("has \(size) bytes; a schema may have at most \(Self.mostBytes).")
        }
        bytes += size
        values += schema.value.size
        guard bytes <= Self.mostBytesOfAll, values <= Self.mostValues else {
            throw schema.invalid(
                "exceeds the limit of this proxy: the schemas of a request may have \(Self.mostBytesOfAll) bytes and \(Self.mostValues) values in total. Send fewer or smaller tools."
            )
        }
    }
}
