import NIOCore

/// Passes the stream of an upstream that speaks the OpenAI API on: every event as the upstream wrote it, but for `model` in its
/// data.
///
/// What is no event stays here: comments, blocks without data, and the lines `id:` and `retry:`. They are for whoever holds the
/// connection, which is the proxy, and some readers take the blank line behind them for an event (openai-python, for one that
/// follows an `id:` at any distance).
///
/// Nothing leaves before the upstream has said something: a role and empty events (Azure begins with one) wait for the first
/// content, so that an answer that stays empty is a failure that another upstream can still mend.
final class PassThroughRelay: ResponseRelay {
    private var blocks: EventBlocks
    /// With its quotes.
    private let model: [UInt8]
    private let upstream: String
    /// The usual end may be all that is said.
    private let mayBeEmpty: Bool
    private var frames: [UInt8] = []
    private var choices: ChoiceProgress
    /// From the first call on.
    private var repair: CallRepair?
    /// Some choice has said something, or why it does not.
    private var hasContent = false
    /// Frames may leave.
    private var isReleased = false
    /// The last `usage` object as it was written: some upstreams send one with each event, and only the last is read.
    private var writtenUsage: [UInt8] = []

    /// Bytes of events without content that are held back at most. An upstream that sends more of them is slow rather than
    /// silent, and its client should see that.
    static let mostHeldBack = 64 << 10

    private(set) var isComplete = false
    private(set) var unreadableEvents = 0
    private(set) var answerID: String?

    var oddities: Oddities {
        var oddities = seen
        if choices.hasGoneOn { oddities.insert(.goesOn) }
        if unreadableEvents > 0 { oddities.insert(.unreadableEvents) }
        return oddities
    }
    private var seen: Oddities = []

    /// - Parameters:
    ///   - model: the name that the client sent.
    ///   - upstream: its name, for the operator.
    ///   - choices: how many were asked for.
    ///   - mayBeEmpty: the usual end may be all that is said.
    ///   - limit: bytes that one event may have.
    init(
        model: String, upstream: String, choices: Int = 1, mayBeEmpty: Bool = false, limit: Int = SSEParser.longestLine
    ) {
        blocks = EventBlocks(limit: limit)
        self.choices = ChoiceProgress(expected: choices)
        self.model = ModelMember.quoted(model)
        self.upstream = upstream
        self.mayBeEmpty = mayBeEmpty
    }

    /// Nothing but an end has come, and the model has said something: a text that the client has named as the end.
    private var saysByItsSilence: Bool { mayBeEmpty && usage?.hasAnswer == true }

    var isFinished: Bool { isComplete || choices.hasEnded && !choices.hasGoneOn }

    var usage: TokenUsage? {
        writtenUsage.isEmpty ? nil : TokenUsage(openAI: try? JSONDocument(parsing: writtenUsage).root)
    }

    func take(_ bytes: ByteBuffer) -> Failure? {
        guard !isComplete else { return nil }
        blocks.feed(bytes.readableBytesView)
        while !isComplete {
            do {
                guard let block = try blocks.next() else { break }
                if let failure = pass(block) { return noted(failure) }
            } catch {
                return .endlessLine(limit: error.limit)
            }
        }
        return nil
    }

    func end() -> Failure? {
        guard !isComplete else { return nil }
        // What lacks only its blank line is whole; what was cut inside is dropped.
        if let block = blocks.end() {
            if let failure = pass(block) { return noted(failure) }
        }
        guard !isComplete else { return nil }
        guard choices.hasEnded else { return .incompleteStream }
        guard hasContent || saysByItsSilence else { return .emptyAnswer }
        frames.append(literal: "data: [DONE]\n\n")
        isComplete = true
        seen.insert(.noEnd)
        return nil
    }

    func takeFrames(_ body: ([UInt8]) -> Void) {
        if !isReleased { isReleased = hasContent || isComplete || frames.count > Self.mostHeldBack }
        guard isReleased, !frames.isEmpty else { return }
        body(frames)
        frames.removeAll(keepingCapacity: true)
    }

    // MARK: Events

    private func noted(_ failure: Failure) -> Failure {
        if failure.isUnderSuccess { seen.insert(.lateError) }
        return failure
    }

    private func pass(_ block: EventBlocks.Block) -> Failure? {
        // What tells of a failure is read as far as it can be, and goes nowhere.
        if block.isBroken, block.data != nil, !block.isError {
            unreadableEvents += 1
            return nil
        }
        if block.hasFurtherData { return passLines(of: block) }
        guard let data = block.data, !data.isEmpty else {
            if let failure = misplacedDocument(in: block) { return failure }
            return block.isError ? ProviderErrorReader.translate(document: nil, upstream: upstream) : nil
        }
        if isDone(data) { return complete(with: block) }
        guard let event = event(in: data) else {
            if block.isError { return failure(in: blocks.bytes[data]) }
            unreadableEvents += 1
            return nil
        }
        if let failure = note(event, blocks.bytes[data], isError: block.isError) { return failure }
        if event.hasCalls, repairCalls(in: blocks.bytes[data]) { return nil }
        if event.hasSeveralModels {
            append(block, replacing: ModelMember.ranges(in: blocks.bytes[data]))
        } else {
            append(
                block, replacing: event.model.map { $0.lowerBound + data.lowerBound..<$0.upperBound + data.lowerBound })
        }
        return nil
    }

    /// Several `data:` lines are one text with line breaks in it. Some upstreams leave the blank line out instead: when they
    /// make no sense together, each is an event.
    private func passLines(of block: EventBlocks.Block) -> Failure? {
        let lines = blocks.dataLines(of: block)
        var joined: [UInt8] = []
        var starts: [Int] = []
        for line in lines {
            if !starts.isEmpty { joined.append(UInt8(ascii: "\n")) }
            starts.append(joined.count)
            joined.append(contentsOf: blocks.bytes[line.data])
        }
        guard let event = PassThroughEvent(joined.span) else {
            return block.isError ? failure(in: joined[...]) : passSingly(lines, of: block)
        }
        if let failure = note(event, joined[...], isError: block.isError) { return failure }
        if event.hasCalls, repairCalls(in: joined[...]) { return nil }
        var ranges: [Range<Int>] = []
        var line = 0
        for range in ModelMember.ranges(in: joined[...]) {
            while line + 1 < starts.count, starts[line + 1] <= range.lowerBound { line += 1 }
            let shift = lines[line].data.lowerBound - starts[line]
            // A string cannot hold a line break; a value that does is no name.
            guard range.upperBound + shift <= lines[line].data.upperBound else { continue }
            ranges.append(range.lowerBound + shift..<range.upperBound + shift)
        }
        append(block, replacing: ranges)
        return nil
    }

    private func passSingly(_ lines: [(line: Range<Int>, data: Range<Int>)], of block: EventBlocks.Block) -> Failure? {
        var start = block.range.lowerBound
        for (position, line) in lines.enumerated() {
            let isLast = position == lines.count - 1
            let end = isLast ? block.range.upperBound : line.line.upperBound
            // Each gets the blank line that was left out: readers would take them for one.
            let single = EventBlocks.Block(
                range: start..<end, data: line.data, hasOtherLines: block.hasOtherLines, isCut: !isLast || block.isCut)
            if let failure = pass(single) { return failure }
            if isComplete { break }
            start = end
        }
        return nil
    }

    /// `[DONE]`: the upstream's word that the answer is whole, whether or not each choice got a reason. But a reason that is
    /// missing after an event could not be read may have been in that event.
    private func complete(with block: EventBlocks.Block) -> Failure? {
        guard unreadableEvents == 0 || choices.hasEnded else { return .incompleteStream }
        guard hasContent || choices.hasEnded && saysByItsSilence else {
            return misplacedDocument(in: block) ?? .emptyAnswer
        }
        append(block, replacing: [])
        isComplete = true
        return nil
    }

    /// Takes down what an event says.
    ///
    /// - Returns: the failure that it reports.
    private func note(_ event: PassThroughEvent, _ data: ArraySlice<UInt8>, isError: Bool) -> Failure? {
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

    /// Passes an event with calls on that has to be mended.
    ///
    /// - Returns: whether it had to be.
    @inline(never)
    private func repairCalls(in data: ArraySlice<UInt8>) -> Bool {
        // A line break can only stand between tokens; in an event it would be the end of its line.
        let document = data.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 }
        guard let root = try? JSONDocument(parsing: document).root else { return false }
        var repair = repair.take() ?? CallRepair()
        let edits = repair.edits(ofEvent: root)
        self.repair = repair
        guard !edits.isEmpty else { return false }
        seen.insert(.calls)
        let mended = CallRepair.apply(edits, to: document)
        frames.append(literal: "data: ")
        ModelMember.append(mended[...], replacing: ModelMember.ranges(in: mended[...]), with: model, to: &frames)
        frames.append(literal: "\n\n")
        return true
    }

    private var oddChoice: Failure {
        .invalidAnswer("has a choice of a number beyond \(ChoiceProgress.mostChoices)", upstream)
    }

    /// Whether the event is the first that says something. It names the answer, too.
    private func begins(with data: ArraySlice<UInt8>) -> Bool {
        guard let root = try? JSONDocument(parsing: Array(data)).root else { return true }
        guard root.elements(of: "choices").contains(where: ChoiceContent.saysSomething) else { return false }
        answerID = root["id"]?.string.flatMap { (1...Self.longestID).contains($0.utf8.count) ? $0 : nil }
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

    private func failure(in data: ArraySlice<UInt8>) -> Failure {
        ProviderErrorReader.translate(document: try? JSONDocument(parsing: Array(data)).root, upstream: upstream)
    }

    /// A JSON document where a stream should be, mostly an error. It may stand before the stream's last line.
    private func misplacedDocument(in block: EventBlocks.Block) -> Failure? {
        guard !choices.hasBegun, block.hasOtherLines else { return nil }
        var text = blocks.bytes[block.range].drop { $0 == 0x20 || $0 == 0x09 }
        while text.first == UInt8(ascii: ":"), let end = text.firstIndex(of: UInt8(ascii: "\n")) {
            text = text[(end + 1)...]
        }
        guard text.first == UInt8(ascii: "{") else { return nil }
        let lines = block.data.map { text[..<$0.lowerBound].dropLast(5) } ?? text
        let end = lines.lastIndex { $0 == UInt8(ascii: "}") } ?? lines.startIndex
        guard let root = try? JSONDocument(parsing: Array(lines[...end])).root, root.kind == .object else { return nil }
        if root.present("choices") == nil { return ProviderErrorReader.translate(document: root, upstream: upstream) }
        return PassThroughResponse.wrongKind("is one document, though a stream was asked for", upstream)
    }

    // MARK: Bytes

    private func event(in data: Range<Int>) -> PassThroughEvent? {
        let bytes = blocks.bytes
        return PassThroughEvent(bytes.span.extracting(data))
    }

    private func isDone(_ data: Range<Int>) -> Bool {
        guard data.count >= 6, blocks.bytes[data.lowerBound] == UInt8(ascii: "[") else { return false }
        return blocks.bytes[data].starts(with: ("[DONE]" as StaticString).utf8)
            && blocks.bytes[data.dropFirst(6)].allSatisfy { $0 == 0x20 || $0 == 0x09 }
    }

    private func append(_ block: EventBlocks.Block, replacing range: Range<Int>?) {
        guard let range, !block.hasOtherLines else { return append(block, replacing: range.map { [$0] } ?? []) }
        frames.append(contentsOf: blocks.bytes[block.range.lowerBound..<range.lowerBound])
        frames.append(contentsOf: model)
        frames.append(contentsOf: blocks.bytes[range.upperBound..<block.range.upperBound])
        closeIfCut(block)
    }

    /// - Parameter ranges: each within a line.
    private func append(_ block: EventBlocks.Block, replacing ranges: [Range<Int>]) {
        if block.hasOtherLines {
            for line in blocks.eventLines(of: block) {
                ModelMember.append(
                    blocks.bytes[line], replacing: ranges.filter { line.contains($0.lowerBound) }, with: model,
                    to: &frames)
            }
        } else {
            ModelMember.append(blocks.bytes[block.range], replacing: ranges, with: model, to: &frames)
        }
        closeIfCut(block)
    }

    /// Adds the blank line that an event lacks: the end of the stream took it, or it was never there.
    private func closeIfCut(_ block: EventBlocks.Block) {
        guard block.isCut else { return }
        if frames.last != UInt8(ascii: "\n") { frames.append(UInt8(ascii: "\n")) }
        frames.append(UInt8(ascii: "\n"))
    }
}
