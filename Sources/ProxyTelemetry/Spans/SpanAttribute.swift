/// A named value of a span, an event, a link or the service itself.
package struct SpanAttribute: Hashable, Sendable {
    package enum Value: Hashable, Sendable {
        case string(String)
        case integer(Int64)
        case double(Double)
        case boolean(Bool)
        case strings([String])
    }

    package var key: String
    package var value: Value

    package init(_ key: String, _ value: Value) {
        self.key = key
        self.value = value
    }
}
