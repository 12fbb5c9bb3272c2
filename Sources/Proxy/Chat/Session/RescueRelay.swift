import NIOCore
import ProxyRouting

/// From the bytes of a second upstream's stream to the rest of the client's: nothing is ready before the second has told what the client knows.
final class RescueRelay<Source: ChatEventSource, Inner: ChatByteSink>: ResponseRelay {
    private var reader: SourceReader<Source>
    private var sink: RescueSink<Inner>
    /// Marks the seam; empty once it has been handed out.
    private var seam: [UInt8]

    /// - Parameter model: who goes on, for people who look at the stream.
    init(_ source: Source, into sink: RescueSink<Inner>, by model: String) {
        reader = SourceReader(source)
        self.sink = sink
        let name = model.unicodeScalars.filter { $0.value >= 0x20 }
        seam = Array(": rescued by \(String(String.UnicodeScalarView(name)))\n\n".utf8)
    }

    var isFinished: Bool { reader.isFinished }
    var isComplete: Bool { reader.isComplete }
    var usage: TokenUsage? { reader.source.usage }
    var told: TextMeter { sink.told }
    var unreadableEvents: Int { reader.source.unreadableEvents }
    var hasHoles: Bool { reader.hasHoles }
    var oddities: Oddities { reader.oddities }
    var answerID: String? { nil }
    var sent: SentText? { sink.sent }
    var clientSink: (any ChatByteSink)? { sink.inner }
    var hasDiverged: Bool { sink.hasDiverged }
    var tokensBefore: Int { sink.tokensBefore }

    func take(_ bytes: ByteBuffer) -> Failure? {
        let failure = reader.take(bytes, into: &sink)
        return sink.hasDiverged ? .otherAnswer : failure
    }

    func end() -> Failure? {
        let failure = reader.end(into: &sink)
        return sink.hasDiverged ? .otherAnswer : failure
    }

    func frames(of document: [UInt8]) throws(Failure) -> ChatReader.StreamedResponse {
        try reader.read(document: document, into: &sink)
        guard !sink.hasDiverged else { throw .otherAnswer }
        return ChatReader.StreamedResponse(frames: takeFrames(), usage: usage, oddities: oddities, told: told)
    }

    func fail(_ failure: Failure) { sink.fail(failure) }

    func takeFrames(_ body: ([UInt8]) -> Void) {
        guard !sink.bytes.isEmpty else { return }
        if seam.isEmpty {
            body(sink.bytes)
        } else {
            body(seam + sink.bytes)
            seam = []
        }
        sink.dropBytes()
    }
}
