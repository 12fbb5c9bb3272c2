import NIOHTTP1
import ProxyRouting

/// Reads the response to a chat in OpenAI's form, streamed or whole, as events. A value without I/O.
struct ChatResponseReader {
    /// What has been read and not been taken.
    private var list = ChatEventList()
    /// What the response has ended with in place of its end.
    private(set) var failure: ChatFailure?
    /// A document; of a stream, nothing.
    private var document: [UInt8] = []
    // The lines are ours: a document that is told as a stream may be one of them.
    private var parser = SSEParser(limit: .max)
    private var source = OpenAIChatSource(.drawn(RandomName()), of: "the proxy", mayBeEmpty: true)
    private var hasEnded = false

    /// Takes the events that are there.
    mutating func takeEvents() -> [ChatEvent] {
        defer { list.events = [] }
        return list.events
    }

    /// Reads what has come.
    mutating func read(_ reading: InProcessConnection.Reading) {
        if !hasEnded, let head = reading.head {
            if Self.isStream(head) {
                readStream(reading.bytes)
            } else {
                document += reading.bytes
                if reading.isComplete { readDocument(head) }
            }
        }
        if !hasEnded, reading.isOver { end(ChatFailure(.shuttingDown)) }
    }

    private static func isStream(_ head: HTTPResponseHead) -> Bool {
        head.headers.first(name: "content-type")?.hasPrefixIgnoringCase("text/event-stream") == true
    }

    private mutating func readDocument(_ head: HTTPResponseHead) {
        guard head.status == .ok else {
            let retryAfter = head.headers.first(name: "retry-after").flatMap { Int($0) }
            return end(ChatFailure(status: Int(head.status.code), document: document, retryAfter: retryAfter))
        }
        do {
            try source.read(document: document, into: &list)
            end(nil)
        } catch {
            end(after: error)
        }
    }

    private mutating func readStream(_ bytes: [UInt8]) {
        parser.feed(bytes)
        while !hasEnded, let event = try? parser.next() {
            // As it is written when something fails behind the head.
            guard !event.starts(with: ("{\"error\":" as StaticString).utf8) else {
                return end(ChatFailure(status: 502, document: Array(event), retryAfter: nil))
            }
            switch source.read(event, into: &list) {
            case .more, .finished: break
            case .complete: end(nil)
            case .failed(let failure): end(after: failure)
            }
        }
    }

    /// Whether an answer may be empty has been judged where it came from; here that is an end like others.
    private mutating func end(after failure: Failure) {
        guard failure.kind == .failed(.empty) else { return end(ChatFailure(failure)) }
        list.finish(.stop, choice: 0)
        end(nil)
    }

    private mutating func end(_ failure: ChatFailure?) { (hasEnded, self.failure) = (true, failure) }
}
