/// What an engine answers, in version 2 of the Redis protocol (https://redis.io/docs/latest/develop/reference/protocol-spec).
package enum RESP: Equatable, Sendable {
    case null
    case integer(Int64)
    /// `+OK`.
    case status([UInt8])
    /// `-NOSCRIPT No matching script`. It is an answer, and the connection goes on.
    case error([UInt8])
    case string([UInt8])
    case array([RESP])

    package var integer: Int64? {
        if case .integer(let value) = self { return value }
        return nil
    }

    package var bytes: [UInt8]? {
        switch self {
        case .string(let bytes), .status(let bytes): bytes
        case .null, .integer, .error, .array: nil
        }
    }

    package var array: [RESP]? {
        if case .array(let elements) = self { return elements }
        return nil
    }

    /// The first word of an error, as `NOSCRIPT`, `WRONGPASS`, `READONLY`, `MOVED`, `OOM`: what may be acted on. Nil of what is no
    /// error.
    package var errorCode: String? {
        guard case .error(let text) = self else { return nil }
        return String(decoding: text.prefix { $0 != 0x20 }.prefix(64), as: UTF8.self)
    }
}
