import NIOCore
import ProxyRouting

/// From the bytes of an upstream's stream to the bytes for the client: a source of chat events and a sink of them.
final class StreamRelay<Source: ChatEventSource, Sink: ChatByteSink>: ResponseRelay {
    private var reader: SourceReader<Source>
    private var sink: Sink

    init(_ source: Source, into sink: Sink) {
        reader = SourceReader(source)
        self.sink = sink
    }

    var isFinished: Bool { reader.isFinished }
    var isComplete: Bool { reader.isComplete }
    var usage: TokenUsage? { reader.source.usage }
    var told: TextMeter { (sink as? any SentTextKeeping)?.told ?? TextMeter() }
    var unreadableEvents: Int { reader.source.unreadableEvents }
    var hasHoles: Bool { reader.hasHoles }
    var oddities: Oddities { reader.oddities }
    /// The request's own.
    var answerID: String? { nil }

    var sent: SentText? { (sink as? any SentTextKeeping)?.sent }
    var clientSink: (any ChatByteSink)? { (sink as? any SentTextKeeping)?.clientSink }

    func take(_ bytes: ByteBuffer) -> Failure? { reader.take(bytes, into: &sink) }

    func end() -> Failure? { reader.end(into: &sink) }

    func fail(_ failure: Failure) { sink.fail(failure) }

    func takeFrames(_ body: ([UInt8]) -> Void) {
        guard !sink.bytes.isEmpty else { return }
        body(sink.bytes)
        sink.dropBytes()
    }
}
