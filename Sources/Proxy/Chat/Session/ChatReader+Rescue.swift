import ProxyRouting

/// A second answer in the first one's place.
extension ChatReader {
    /// What goes on with the client's stream where another upstream has broken off.
    ///
    /// - Parameters:
    ///   - broken: what has made the stream so far.
    ///   - sent: what the client has been told.
    ///   - comparison: how that is found in the second answer.
    ///   - tokensBefore: of it, where the second answer does not count them.
    ///   - model: who goes on, for people.
    ///   - meter: of what the second upstream says.
    /// - Returns: nil where nobody can go on with the client's stream.
    func relay(
        of upstream: String, to client: some ClientDialect, goingOn broken: any ResponseRelay, behind sent: SentText,
        _ comparison: TextComparison, tokensBefore: Int, by model: String, meter: TextMeter = TextMeter()
    ) -> (any ResponseRelay)? {
        guard let inner = Self.sink(goingOn: broken, to: client) else { return nil }
        let sink = RescueSink(inner, behind: sent, comparison, tokensBefore: tokensBefore, meter: meter)
        switch self {
        // To say nothing is no way to go on, whoever else takes silence for an answer.
        case .translator(let dialect, var rules):
            (rules.mayBeEmpty, rules.takesSilence) = (false, false)
            return dialect.relay(of: client.response, by: rules, into: sink, model: model)
        case .chatCompletions, .passThrough:
            let source = OpenAIChatSource(client.response, of: upstream)
            return RescueRelay(source, into: sink, by: model)
        case .native: return nil
        }
    }

    private static func sink<Client: ClientDialect>(goingOn broken: any ResponseRelay, to client: Client)
        -> Client.Stream?
    {
        if let sink = broken.clientSink { return sink as? Client.Stream }
        if broken is NativeRelay {
            // Nobody knows whether a block is open that says nothing.
            guard let sent = broken.sent, !sent.escaped.isEmpty else { return nil }
            // The client has had the events of the upstream's that stand for these.
            var stream = client.stream()
            stream.begin(choice: 0)
            stream.text(sent.escaped[...], logprobs: nil, choice: 0)
            stream.bytes = []
            return stream
        }
        // What has passed named the answer itself.
        guard let chat = client.chatCompletions, let passed = broken as? PassThroughRelay, let id = passed.answerID
        else { return nil }
        let envelope = ChunkEnvelope(
            id: id, created: passed.created ?? chat.envelope.created,
            model: passed.model)
        return ChatCompletionsDialect(envelope, includesUsage: chat.includesUsage).stream() as? Client.Stream
    }
}

extension Dialect {
    /// Tells a second answer to the sink of the first.
    fileprivate func relay(
        of response: ResponseID, by rules: ResponseRules, into sink: RescueSink<some ChatByteSink>, model: String
    ) -> any ResponseRelay {
        switch self {
        case .generic: RescueRelay(GenericSource(response, rules: rules), into: sink, by: model)
        case .cohere(let names):
            RescueRelay(CohereSource(response, names: names, rules: rules), into: sink, by: model)
        case .cohereV2: RescueRelay(CohereV2Source(response, rules: rules), into: sink, by: model)
        }
    }
}
