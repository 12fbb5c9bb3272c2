import NIOCore
import ProxyRouting

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
    private let upstream: String
    /// The name that the client sent.
    let model: String
    private var frames: PassThroughFrames
    private var progress: PassThroughProgress
    /// From the first call on.
    private var repair: CallRepair?
    /// Frames may leave.
    private var isReleased = false

    /// Bytes of events without content that are held back at most. An upstream that sends more of them is slow rather than
    /// silent, and its client should see that.
    static let mostHeldBack = 64 << 10

    /// What the client has been told, where that is kept.
    private(set) var sent: SentText?

    private(set) var isComplete = false
    private(set) var unreadableEvents = 0
    /// How much has been told.
    private(set) var told: TextMeter
    /// The usage has been asked for by the proxy alone, and is not passed on.
    private let hidesUsage: Bool
    /// Those among them that were cut in the middle, at the end of a body that is not whole.
    private var torn = 0
    var hasHoles: Bool { unreadableEvents > torn }
    var created: Int? { progress.created }
    var answerID: String? { progress.answerID }

    var oddities: Oddities {
        var oddities = seen
        if progress.choices.hasGoneOn { oddities.insert(.goesOn) }
        if unreadableEvents > 0 { oddities.insert(.unreadableEvents) }
        return oddities
    }
    private var seen = Oddities()

    /// - Parameters:
    ///   - model: the name that the client sent.
    ///   - upstream: its name, for the operator.
    ///   - choices: how many were asked for.
    ///   - mayBeEmpty: the usual end may be all that is said.
    ///   - keepsText: another upstream may have to go on behind what has been told.
    ///   - hidesUsage: the usage has been asked for by the proxy alone: the event of it alone, and the nulls in others, stay here. In an event with choices it
    ///     passes, as upstreams have it there unasked.
    ///   - meter: of what is told.
    ///   - limit: bytes that one event may have.
    init(
        model: String, upstream: String, choices: Int = 1, mayBeEmpty: Bool = false, keepsText: Bool = false,
        hidesUsage: Bool = false, meter: TextMeter = TextMeter(), limit: Int = SSEParser.longestLine
    ) {
        self.hidesUsage = hidesUsage
        told = meter
        sent = keepsText ? SentText() : nil
        blocks = EventBlocks(limit: limit)
        frames = PassThroughFrames(model: model)
        progress = PassThroughProgress(of: upstream, choices: choices, mayBeEmpty: mayBeEmpty)
        self.upstream = upstream
        self.model = model
    }

    var isFinished: Bool { isComplete || progress.choices.hasEnded && !progress.choices.hasGoneOn }

    var usage: TokenUsage? { progress.usage }

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
        let before = unreadableEvents
        if let block = blocks.end() {
            if let failure = pass(block) { return noted(failure) }
        }
        guard !isComplete else { return nil }
        guard progress.choices.hasEnded else {
            torn = unreadableEvents - before
            return .incompleteStream
        }
        guard progress.isAnswered else { return .emptyAnswer }
        frames.appendDone()
        isComplete = true
        seen.insert(.noEnd)
        return nil
    }

    func fail(_ failure: Failure) {
        isReleased = true
        frames.bytes += OpenAIError(failure).event
    }

    func takeFrames(_ body: ([UInt8]) -> Void) {
        if !isReleased { isReleased = progress.hasContent || isComplete || frames.bytes.count > Self.mostHeldBack }
        guard isReleased, !frames.bytes.isEmpty else { return }
        body(frames.bytes)
        frames.bytes.removeAll(keepingCapacity: true)
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
            if block.isError { return progress.failure(in: blocks.bytes[data]) }
            unreadableEvents += 1
            return nil
        }
        if let failure = progress.note(event, blocks.bytes[data], isError: block.isError) { return failure }
        measure(event, blocks.bytes[data])
        if sent != nil { keep(event, at: data.lowerBound) }
        if hidesUsage, event.isUsageAlone { return nil }
        if event.hasCalls, repairCalls(in: blocks.bytes[data]) { return nil }
        if hidesUsage, let null = event.noUsage, !event.hasSeveralModels, !block.hasOtherLines {
            frames.append(
                block, of: blocks,
                replacing: event.model.map { $0.lowerBound + data.lowerBound..<$0.upperBound + data.lowerBound },
                leavingOutValue: null.lowerBound + data.lowerBound..<null.upperBound + data.lowerBound)
        } else if event.hasSeveralModels {
            frames.append(block, of: blocks, replacing: ModelMember.ranges(in: blocks.bytes[data]))
        } else {
            frames.append(
                block, of: blocks,
                replacing: event.model.map { $0.lowerBound + data.lowerBound..<$0.upperBound + data.lowerBound })
        }
        return nil
    }

    /// Takes down how much an event tells.
    private func measure(_ event: PassThroughEvent, _ data: ArraySlice<UInt8>) {
        told.take(bytes: event.bytesTold)
        guard told.characters != nil, event.bytesTold > 0 else { return }
        if let text = event.text, !event.tellsMore, !event.hasCalls, event.choices != .several {
            told.take(charactersOf: data[data.startIndex + text.lowerBound..<data.startIndex + text.upperBound])
        } else {
            measureParts(of: data)
        }
    }

    /// Characters of reasoning, calls and several choices.
    @inline(never)
    private func measureParts(of data: ArraySlice<UInt8>) {
        guard let root = try? JSONDocument(parsing: Array(data)).root else { return }
        for choice in root.elements(of: "choices") {
            guard let delta = choice["delta"] else { continue }
            for name in ["content", "refusal"] as [StaticString] {
                if let text = delta[name]?.rawString { told.take(charactersOf: text) }
            }
            if let thought = (delta.present("reasoning_content") ?? delta.present("reasoning"))?.rawString {
                told.take(charactersOf: thought)
            }
            for call in delta.elements(of: "tool_calls") {
                for name in ["name", "arguments"] as [StaticString] {
                    if let text = call["function"]?[name]?.rawString { told.take(charactersOf: text) }
                }
            }
        }
    }

    /// Takes down what an event tells the client.
    ///
    /// - Parameter start: of its data.
    private func keep(_ event: PassThroughEvent, at start: Int) {
        switch event.choices {
        case .none: break
        case .one(0, .open) where !event.tellsMore && !event.hasCalls:
            if let text = event.text { sent?.add(blocks.bytes[text.lowerBound + start..<text.upperBound + start]) }
        // What has named its end is whole, or fails for good.
        case .one, .several: sent?.spoil()
        }
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
            return block.isError ? progress.failure(in: joined[...]) : passSingly(lines, of: block)
        }
        if let failure = progress.note(event, joined[...], isError: block.isError) { return failure }
        measure(event, joined[...])
        sent?.spoil()
        if hidesUsage, event.isUsageAlone { return nil }
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
        frames.append(block, of: blocks, replacing: ranges)
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
        guard unreadableEvents == 0 || progress.choices.hasEnded else { return .incompleteStream }
        guard progress.hasContent || progress.choices.hasEnded && progress.saysByItsSilence else {
            return misplacedDocument(in: block) ?? .emptyAnswer
        }
        frames.append(block, of: blocks, replacing: [])
        isComplete = true
        return nil
    }

    /// Passes an event with calls on that has to be repaired.
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
        let repaired = CallRepair.apply(edits, to: document)
        frames.append(data: repaired[...])
        return true
    }

    /// A JSON document where a stream should be, mostly an error. It may stand before the stream's last line.
    private func misplacedDocument(in block: EventBlocks.Block) -> Failure? {
        guard !progress.choices.hasBegun, block.hasOtherLines else { return nil }
        var text = blocks.bytes[block.range].drop { $0 == 0x20 || $0 == 0x09 }
        while text.first == UInt8(ascii: ":"), let end = text.firstIndex(of: UInt8(ascii: "\n")) {
            text = text[(end + 1)...]
        }
        guard text.first == UInt8(ascii: "{") else { return nil }
        let lines = block.data.map { text[..<$0.lowerBound].dropLast(5) } ?? text
        let end = lines.lastIndex { $0 == UInt8(ascii: "}") } ?? lines.startIndex
        guard let root = try? JSONDocument(parsing: Array(lines[...end])).root, root.kind == .object else { return nil }
        if root.present("choices") == nil { return ProviderErrorReader.translate(document: root, upstream: upstream) }
        return PassThroughResponse.wrongKind("is a single document, but a stream was requested", upstream)
    }

    private func event(in data: Range<Int>) -> PassThroughEvent? {
        let bytes = blocks.bytes
        return PassThroughEvent(bytes.span.extracting(data))
    }

    private func isDone(_ data: Range<Int>) -> Bool {
        guard data.count >= 6, blocks.bytes[data.lowerBound] == UInt8(ascii: "[") else { return false }
        return blocks.bytes[data].starts(with: ("[DONE]" as StaticString).utf8)
            && blocks.bytes[data.dropFirst(6)].allSatisfy { $0 == 0x20 || $0 == 0x09 }
    }

}
