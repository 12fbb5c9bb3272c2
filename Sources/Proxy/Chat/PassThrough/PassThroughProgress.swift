import ProxyRouting

/// How far a stream that is passed on has come, by what its events say.
struct PassThroughProgress {
    private(set) var choices: ChoiceProgress
    /// Some choice has said something, or why it does not.
    private(set) var hasContent = false
    /// Of the answer, as its first event with content names it.
    private(set) var answerID: String?
    /// Likewise, seconds since 1970.
    private(set) var created: Int?
    /// The last `usage` object as it was written: some upstreams send one with each event, and only the last is read.
    private var writtenUsage: [UInt8] = []
    private let upstream: String
    /// The usual end may be all that is said.
    private let mayBeEmpty: Bool

    /// - Parameters:
    ///   - upstream: its name, for the operator.
    ///   - choices: how many were asked for.
    ///   - mayBeEmpty: the usual end may be all that is said.
    init(of upstream: String, choices: Int, mayBeEmpty: Bool) {
        self.upstream = upstream
        self.choices = ChoiceProgress(expected: choices)
        self.mayBeEmpty = mayBeEmpty
    }

    /// Something has been said, or the model has ended without a word where it may.
    var isAnswered: Bool { hasContent || saysByItsSilence }

    /// Nothing but an end has come, and the model has said something: a text that the client has named as the end.
    var saysByItsSilence: Bool { mayBeEmpty && usage?.hasAnswer == true }

    var usage: TokenUsage? {
        writtenUsage.isEmpty ? nil : TokenUsage(openAI: try? JSONDocument(parsing: writtenUsage).root)
    }

    /// Takes down what an event says.
    ///
    /// - Returns: the failure that it reports.
    mutating func note(_ event: PassThroughEvent, _ data: ArraySlice<UInt8>, isError: Bool) -> Failure? {
        if isError || (event.hasError && (event.choices == .none || !saysSomething(data))) { return failure(in: data) }
        if !event.hasList, let failure = failureWithoutName(in: data) { return failure }
        switch event.choices {
        case .none: break
        case .one(_, .failed): return failure(in: data)
        case .one(let index, let progress):
            if choices.hasEnded(index) {
                if hasWords(data) { choices.goOn(index, hasEnded: progress == .ended) }
            } else {
                guard choices.note(index, hasEnded: progress == .ended) else { return oddChoice }
            }
        case .several:
            guard let root = try? JSONDocument(parsing: Array(data)).root else { break }
            for (position, choice) in root.elements(of: "choices").enumerated() {
                if choice["finish_reason"]?.equals("error") == true { return failure(in: data) }
                let index = max(choice["index"]?.int ?? position, 0)
                let hasEnded = choice["finish_reason"]?.isEmptyString == false
                if choices.hasEnded(index), ChoiceContent.hasWords(in: choice) {
                    choices.goOn(index, hasEnded: hasEnded)
                } else {
                    guard choices.note(index, hasEnded: hasEnded) else { return oddChoice }
                }
            }
        }
        if !hasContent, event.choices != .none { hasContent = begins(with: data) }
        if let usage = event.usage {
            writtenUsage.removeAll(keepingCapacity: true)
            writtenUsage.append(
                contentsOf: data[data.startIndex + usage.lowerBound..<data.startIndex + usage.upperBound])
        }
        return nil
    }

    /// The failure of which an event without choices tells, though nothing in it is called an error.
    @inline(never)
    private func failureWithoutName(in data: ArraySlice<UInt8>) -> Failure? {
        guard let root = try? JSONDocument(parsing: Array(data)).root, ErrorWords.tellFailure(root) else { return nil }
        return ProviderErrorReader.translate(document: root, upstream: upstream)
    }

    private var oddChoice: Failure {
        .invalidAnswer("has a choice with an index above \(ChoiceProgress.mostChoices)", upstream)
    }

    /// Whether the event is the first that says something. It names the answer, too.
    private mutating func begins(with data: ArraySlice<UInt8>) -> Bool {
        guard let root = try? JSONDocument(parsing: Array(data)).root else { return true }
        guard root.elements(of: "choices").contains(where: ChoiceContent.saysSomething) else { return false }
        answerID = root["id"]?.string.flatMap { (1...Self.longestID).contains($0.utf8.count) ? $0 : nil }
        created = root["created"]?.int
        return true
    }

    /// Bytes of an answer's id that are worth keeping.
    private static let longestID = 256

    /// What only the scan of an event could read is not called empty.
    private func saysSomething(_ data: ArraySlice<UInt8>) -> Bool {
        guard let root = try? JSONDocument(parsing: Array(data)).root else { return true }
        return root.elements(of: "choices").contains(where: ChoiceContent.saysSomething)
    }

    /// Whether an event behind a finish reason says more than that it is over.
    @inline(never)
    private func hasWords(_ data: ArraySlice<UInt8>) -> Bool {
        guard let root = try? JSONDocument(parsing: Array(data)).root else { return true }
        return root.elements(of: "choices").contains(where: ChoiceContent.hasWords)
    }

    func failure(in data: ArraySlice<UInt8>) -> Failure {
        ProviderErrorReader.translate(document: try? JSONDocument(parsing: Array(data)).root, upstream: upstream)
    }
}
