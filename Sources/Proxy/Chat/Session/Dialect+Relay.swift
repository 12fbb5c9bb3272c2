import ProxyRouting

/// Joins the source of each dialect with whatever sink there is: a new dialect is a line in each of the two.
extension Dialect {
    /// Tells a stream to a sink.
    ///
    /// - Parameters:
    ///   - response: of which calls without an id get one.
    ///   - choices: how many were asked for; Cohere's dialects have only one.
    func relay(of response: ResponseID, choices: Int, by rules: ResponseRules, into sink: some ChatByteSink)
        -> any ResponseRelay
    {
        switch self {
        case .generic: StreamRelay(GenericSource(response, choices: choices, rules: rules), into: sink)
        case .cohere(let names): StreamRelay(CohereSource(response, names: names, rules: rules), into: sink)
        case .cohereV2: StreamRelay(CohereV2Source(response, rules: rules), into: sink)
        }
    }

    /// Tells a whole answer to a sink, to its end.
    ///
    /// - Returns: what it cost.
    /// - Throws: `Failure` when the document is no answer, tells of a failure, or says nothing.
    func read(
        document body: [UInt8], of response: ResponseID, by rules: ResponseRules, into sink: inout some ChatEventSink
    ) throws(Failure) -> TokenUsage? {
        switch self {
        case .generic: try Self.read(body, by: GenericSource(response, rules: rules), into: &sink)
        case .cohere(let names):
            try Self.read(body, by: CohereSource(response, names: names, rules: rules), into: &sink)
        case .cohereV2: try Self.read(body, by: CohereV2Source(response, rules: rules), into: &sink)
        }
    }

    /// Tells a stream that is there whole to a sink that gathers it.
    func gather(
        _ body: [UInt8], of response: ResponseID, by rules: ResponseRules, into document: some ChatDocumentSink,
        else wrongKind: Failure
    ) throws(Failure) -> ClientResponse {
        switch self {
        case .generic:
            try SourceReader.gather(body, by: GenericSource(response, rules: rules), into: document, else: wrongKind)
        case .cohere(let names):
            try SourceReader.gather(
                body, by: CohereSource(response, names: names, rules: rules), into: document, else: wrongKind)
        case .cohereV2:
            try SourceReader.gather(body, by: CohereV2Source(response, rules: rules), into: document, else: wrongKind)
        }
    }

    private static func read(_ body: [UInt8], by source: some ChatEventSource, into sink: inout some ChatEventSink)
        throws(Failure) -> TokenUsage?
    {
        var source = source
        try source.read(document: body, into: &sink)
        return source.usage
    }
}
