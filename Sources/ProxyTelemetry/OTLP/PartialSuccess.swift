/// What a collector says that took a request, but not all of it: `partial_success` of its answer.
package struct PartialSuccess: Hashable, Sendable {
    /// Spans that it did not take. With 0 the message is a warning.
    package var rejected: Int
    /// For people; empty when it says nothing. A stranger's text, of any length.
    package var message: String

    package init(rejected: Int, message: String) {
        self.rejected = rejected
        self.message = message
    }

    /// From an `ExportTraceServiceResponse`; nil when all is well, and when the body is of another kind: it was taken in
    /// either case.
    package init?(response: [UInt8]) {
        rejected = 0
        message = ""
        var reader = ProtobufReader(response[...])
        while let (field, value) = reader.next() {
            guard field == 1, case .bytes(let content) = value else { continue }
            var reader = ProtobufReader(content)
            while let (field, value) = reader.next() {
                switch (field, value) {
                case (1, .integer(let count)): rejected = max(Int(truncatingIfNeeded: count), 0)
                case (2, .bytes(let text)): message = String(decoding: text, as: UTF8.self)
                default: break
                }
            }
        }
        if rejected == 0, message.isEmpty { return nil }
    }
}
