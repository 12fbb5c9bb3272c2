@testable import Proxy
@testable import ProxyRouting

/// A source as the chunks that a client of chat completions gets of it.
struct ChunkStream<Source: ChatEventSource> {
    var source: Source
    var sink: ChatChunks

    mutating func translate(_ event: ArraySlice<UInt8>, into frames: inout [UInt8]) -> ChatStreamStep {
        defer { take(into: &frames) }
        return source.read(event, into: &sink)
    }

    mutating func end(into frames: inout [UInt8]) -> Failure? {
        defer { take(into: &frames) }
        return source.end(into: &sink)
    }

    var usage: TokenUsage? { source.usage }
    var unreadableEvents: Int { source.unreadableEvents }

    private mutating func take(into frames: inout [UInt8]) {
        frames += sink.bytes
        sink.bytes = []
    }
}

extension ChunkStream where Source == GenericSource {
    init(
        envelope: ChunkEnvelope, includesUsage: Bool, rules: ResponseRules = ResponseRules(), readsFastPath: Bool = true
    ) {
        source = GenericSource(envelope.response, rules: rules, readsFastPath: readsFastPath)
        sink = ChatChunks(envelope, includesUsage: includesUsage)
    }
}

extension Dialect {
    /// A whole answer as the document that a client gets.
    func answer(_ body: [UInt8], in envelope: ChunkEnvelope, rules: ResponseRules = ResponseRules()) throws(Failure)
        -> ClientResponse
    {
        var document = ChatDocument(envelope)
        _ = try read(document: body, of: envelope.response, by: rules, into: &document)
        return document.written(capacity: body.count)
    }

    /// A whole answer as the stream that a client gets.
    func frames(
        of body: [UInt8], in envelope: ChunkEnvelope, includesUsage: Bool, rules: ResponseRules = ResponseRules()
    ) throws(Failure) -> (frames: [UInt8], usage: TokenUsage?) {
        var chunks = ChatChunks(envelope, includesUsage: includesUsage)
        let usage = try read(document: body, of: envelope.response, by: rules, into: &chunks)
        return (chunks.bytes, usage)
    }

    /// A stream as that which a client gets.
    func relay(
        in envelope: ChunkEnvelope, includesUsage: Bool, choices: Int = 1, rules: ResponseRules = ResponseRules()
    ) -> any ResponseRelay {
        relay(
            of: envelope.response, choices: choices, by: rules, into: ChatChunks(envelope, includesUsage: includesUsage)
        )
    }
}
