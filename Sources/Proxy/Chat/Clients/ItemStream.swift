import ProxyRouting

/// Writes one item of an answer after the other, in a dialect that numbers them: whoever tells it, an item is opened before anything is said in it, and closed
/// before the next one opens.
protocol ItemWriter {
    /// Events that have not been sent; of a writer of documents, the document at the end.
    var bytes: [UInt8] { get set }
    /// The client is told what the model thinks.
    var showsReasoning: Bool { get }

    /// The upstream has begun to answer.
    mutating func begin()
    mutating func open(_ item: ItemKind)
    mutating func openCall(id: String, name: ArraySlice<UInt8>)
    /// More of the item that is open.
    mutating func text(_ escaped: ArraySlice<UInt8>, logprobs: [UInt8]?)
    mutating func refusal(_ escaped: ArraySlice<UInt8>)
    mutating func reasoning(_ escaped: ArraySlice<UInt8>)
    mutating func arguments(_ escaped: ArraySlice<UInt8>)
    /// - Parameter isCut: the answer ends in the middle of it.
    mutating func close(_ item: ItemKind, isCut: Bool)
    mutating func end(_ end: ItemEnd)
    mutating func fail(_ failure: Failure)
}

/// What an item of an answer is.
enum ItemKind: Equatable { case reasoning, message, call }

/// How an answer has ended.
struct ItemEnd {
    var reason = FinishReason.stop
    /// The text of the client's at which it ended, escaped.
    var stop: [UInt8]?
    var usage: TokenUsage?
    var created: Int?
    var hasCalls = false

    /// It was broken off before it was whole.
    var isCut: Bool { reason.isLimit || reason == .contentFilter }
}

/// Tells a model's words to a writer of items. Only the first choice counts: these dialects have no other.
///
/// A model may talk on while a call's arguments are not whole; some upstreams mix the two. Such words wait until the call is over.
struct ItemStream<Writer: ItemWriter>: ChatByteSink, ChatDocumentSink {
    private(set) var writer: Writer
    private var current: ItemKind?
    private var arguments = ArgumentsScan()
    private var late: [Late] = []
    private(set) var outcome = ItemEnd()

    private enum Late {
        case text(ArraySlice<UInt8>, [UInt8]?)
        case refusal(ArraySlice<UInt8>)
        case reasoning(ArraySlice<UInt8>)
    }

    /// Cuts the text where the client wants it to end and the upstream does not know.
    private var cutter: StopCutter?

    /// - Parameter stops: texts at which the answer ends; what follows is not told.
    init(_ writer: Writer, cuttingAt stops: [[UInt8]] = []) {
        self.writer = writer
        cutter = stops.isEmpty ? nil : StopCutter(stops)
    }

    /// The answer has ended for the client, whatever the upstream still says.
    private var hasStopped: Bool { cutter?.hasStopped == true }

    var tellsReasoning: Bool { writer.showsReasoning }

    var bytes: [UInt8] {
        get { writer.bytes }
        _modify { yield &writer.bytes }
    }

    mutating func dropBytes() { writer.bytes.removeMost() }

    func written(capacity: Int) -> ClientResponse { ClientResponse(body: writer.bytes, usage: outcome.usage) }

    mutating func created(at seconds: Int) { outcome.created = seconds }

    mutating func begin(choice: Int) { if choice == 0 { writer.begin() } }

    mutating func text(_ escaped: ArraySlice<UInt8>, logprobs: [UInt8]?, choice: Int) {
        guard choice == 0, !escaped.isEmpty, !hasStopped else { return }
        if !isBusy, !late.isEmpty { sayLate() }
        guard !isBusy else { return late.append(.text(escaped, logprobs)) }
        guard cutter != nil else { return say(escaped, logprobs: logprobs) }
        if let uncut = cutter?.take(escaped), !uncut.isEmpty { say(uncut[...], logprobs: logprobs) }
        if let stop = cutter?.stop { outcome.stop = Array(ChatDraft.escaped(String(decoding: stop, as: UTF8.self))) }
    }

    /// No more text follows: what might have begun a text at which it is cut has not.
    private mutating func sayHeld() {
        if let held = cutter?.end(), !held.isEmpty, !hasStopped { say(held[...], logprobs: nil) }
    }

    private mutating func say(_ escaped: ArraySlice<UInt8>, logprobs: [UInt8]?) {
        open(.message)
        writer.text(escaped, logprobs: logprobs)
    }

    mutating func refusal(_ escaped: ArraySlice<UInt8>, choice: Int) {
        guard choice == 0, !escaped.isEmpty, !hasStopped else { return }
        if !isBusy, !late.isEmpty { sayLate() }
        guard !isBusy else { return late.append(.refusal(escaped)) }
        sayHeld()
        open(.message)
        writer.refusal(escaped)
    }

    mutating func reasoning(_ escaped: ArraySlice<UInt8>, choice: Int) {
        guard choice == 0, !escaped.isEmpty, writer.showsReasoning, !hasStopped else { return }
        if !isBusy, !late.isEmpty { sayLate() }
        guard !isBusy else { return late.append(.reasoning(escaped)) }
        sayHeld()
        open(.reasoning)
        writer.reasoning(escaped)
    }

    mutating func toolCall(_ call: Int, id: String, name: ArraySlice<UInt8>, arguments: ArraySlice<UInt8>, choice: Int)
    {
        guard choice == 0, !hasStopped else { return }
        sayHeld()
        close(isCut: false)
        writer.openCall(id: id, name: name)
        current = .call
        outcome.hasCalls = true
        self.arguments = ArgumentsScan()
        self.arguments(arguments, of: call, choice: choice)
    }

    mutating func arguments(_ escaped: ArraySlice<UInt8>, of call: Int, choice: Int) {
        guard choice == 0, !escaped.isEmpty, current == .call, !hasStopped else { return }
        arguments.take(escaped)
        writer.arguments(escaped)
    }

    mutating func stopped(at text: ArraySlice<UInt8>, choice: Int) { if choice == 0 { outcome.stop = Array(text) } }

    mutating func finish(_ reason: FinishReason, choice: Int) {
        if choice == 0 { outcome.reason = hasStopped ? .stop : reason }
    }

    mutating func usage(_ usage: TokenUsage) { outcome.usage = usage }

    mutating func end() {
        if !isBusy { sayHeld() }
        close(isCut: outcome.isCut)
        sayLate()
        sayHeld()
        close(isCut: outcome.isCut)
        writer.end(outcome)
    }

    /// What has waited for the end of a call.
    private mutating func sayLate() {
        let words = late
        late = []
        for word in words {
            switch word {
            case .text(let text, let logprobs): self.text(text, logprobs: logprobs, choice: 0)
            case .refusal(let text): refusal(text, choice: 0)
            case .reasoning(let text): reasoning(text, choice: 0)
            }
        }
    }

    mutating func fail(_ failure: Failure) { writer.fail(failure) }

    // MARK: One at a time

    private var isBusy: Bool { current == .call && !arguments.isWhole }

    private mutating func open(_ item: ItemKind) {
        guard current != item else { return }
        close(isCut: false)
        writer.open(item)
        current = item
    }

    private mutating func close(isCut: Bool) {
        guard let item = current.take() else { return }
        writer.close(item, isCut: isCut && !(item == .call && arguments.isWhole))
    }
}
