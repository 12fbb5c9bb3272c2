import ProxyRouting
import Synchronization

/// A client that speaks OpenAI's Responses.
final class ResponsesDialect: ClientDialect {
    let response: ResponseID
    /// The name that the client sent.
    let model: String
    /// Seconds since 1970.
    let created: Int
    let time: TimeSource
    let shapes: [[UInt8]: ResponsesTools.Shape]
    let showsSummary: Bool
    let wantsSealed: Bool
    let seal: ReasoningSeal
    let progress: Progress
    private let echo: [UInt8]
    private let places: [JSONValue?]
    private let keeping: Keeping?
    let native: NativeRequest?
    let mayTruncate: Bool

    /// Where the answer is kept.
    struct Keeping: Sendable {
        let shelf: ResponseStore.Shelf
        /// What the model has read, as items.
        let input: [ResponseStore.Item]
    }

    /// How far the events of a stream have come, which signs of life are numbered with.
    final class Progress: Sendable {
        private struct State {
            var next = 0
            /// Numbers of events that have been sent whatever becomes of the attempt.
            var sent = 0
            var hasEnded = false
        }

        private let state = Mutex(State())

        /// The number of the next event.
        func next() -> Int {
            state.withLock { state in
                state.next += 1
                return state.next - 1
            }
        }

        /// An attempt begins: of those before, the client has seen nothing but signs of life.
        func restart() { state.withLock { $0.next = $0.sent } }
        /// What has been written so far is on its way.
        func confirm() { state.withLock { $0.sent = $0.next } }
        func end() { state.withLock { $0.hasEnded = true } }

        var hasBegun: Bool { state.withLock { $0.next > 0 } }
        var hasEnded: Bool { state.withLock { $0.hasEnded } }
    }

    convenience init(
        _ request: ResponsesRequest, sealing seal: ReasoningSeal, keepingIn shelf: ResponseStore.Shelf,
        on time: TimeSource, native: NativeRequest?
    ) {
        self.init(
            response: .drawn(RandomName()), model: request.model, created: Int(time.wallClock()), time: time,
            shapes: request.shapes,
            showsSummary: request.showsSummary, wantsSealed: request.wantsSealed, seal: seal, progress: Progress(),
            echo: request.echo, places: request.places,
            keeping: request.keepsResponse ? Keeping(shelf: shelf, input: request.items) : nil, native: native,
            mayTruncate: request.mayTruncate)
    }

    /// Of a request that is no chat.
    convenience init(_ native: NativeRequest, sealing seal: ReasoningSeal, on time: TimeSource) {
        self.init(
            response: .drawn(RandomName()), model: native.request.model, created: Int(time.wallClock()), time: time,
            shapes: [:], showsSummary: false, wantsSealed: false, seal: seal, progress: Progress(), echo: [],
            places: [], keeping: nil, native: native, mayTruncate: false)
    }

    private init(
        response: ResponseID, model: String, created: Int, time: TimeSource, shapes: [[UInt8]: ResponsesTools.Shape],
        showsSummary: Bool,
        wantsSealed: Bool, seal: ReasoningSeal, progress: Progress, echo: [UInt8], places: [JSONValue?],
        keeping: Keeping?, native: NativeRequest?, mayTruncate: Bool
    ) {
        self.response = response
        self.model = model
        self.created = created
        self.time = time
        self.shapes = shapes
        self.showsSummary = showsSummary
        self.wantsSealed = wantsSealed
        self.seal = seal
        self.progress = progress
        self.echo = echo
        self.places = places
        self.keeping = keeping
        self.native = native
        self.mayTruncate = mayTruncate
    }

    var id: String { response.text(prefix: "resp_") }
    var acceptsSilence: Bool { true }

    func stream() -> ItemStream<ResponsesItems> {
        progress.restart()
        return ItemStream(ResponsesItems(self, isStreaming: true))
    }
    func document() -> ItemStream<ResponsesItems> { ItemStream(ResponsesItems(self, isStreaming: false)) }

    /// Comments are enough for most; Codex counts events, so now and then there is one that says nothing new.
    func keepAlive(_ kind: KeepAliveSchedule.Reassurance, id: String?) -> [UInt8] {
        // Where an upstream may speak this language itself, the events and their numbers are its own.
        guard kind == .emptyEvent, native == nil, !progress.hasEnded else { return KeepAliveSchedule.comment }
        var bytes: [UInt8] = []
        if !begin(into: &bytes) { write("response.in_progress", frame(status: "in_progress"), into: &bytes) }
        progress.confirm()
        return bytes
    }

    func error(_ failure: Failure) -> ClientError { ClientError(OpenAIError(failure)) }

    func errorEvent(_ failure: Failure) -> [UInt8] {
        var stream = ResponsesItems(self, isStreaming: true)
        stream.fail(failure)
        return stream.bytes
    }

    func worded(_ failure: Failure) -> Failure { ClientPaths(places: places, names: Self.names).worded(failure) }

    /// What a chat completion's members are called there.
    private static let names: [(chat: String, client: String)] = [
        ("messages", "input"), ("max_tokens", "max_output_tokens"), ("max_completion_tokens", "max_output_tokens"),
        ("response_format.json_schema", "text.format"), ("response_format", "text.format"),
        ("reasoning_effort", "reasoning.effort"), ("verbosity", "text.verbosity"),
        ("logprobs", "include"),
    ]

    func naming(_ model: String) -> ResponsesDialect {
        model == self.model
            ? self
            : ResponsesDialect(
                response: response, model: model, created: created, time: time, shapes: shapes,
                showsSummary: showsSummary,
                wantsSealed: wantsSealed, seal: seal, progress: progress, echo: echo, places: places, keeping: keeping,
                native: native, mayTruncate: mayTruncate)
    }
}

extension ResponsesDialect {
    /// The response object.
    ///
    /// - Parameters:
    ///   - members: those that depend on how far it has come, a comma before each; null where they are not.
    func frame(
        status: StaticString, output: [[UInt8]] = [], usage: TokenUsage? = nil, error: [UInt8]? = nil,
        incomplete: StaticString? = nil, completed: Int? = nil
    ) -> [UInt8] {
        var writer = JSONWriter(capacity: output.reduce(echo.count + 512) { $0 + $1.count + 1 })
        writer.beginObject()
        writer.key("id")
        writer.string(id)
        writer.key("object")
        writer.string(literal: "response")
        writer.key("created_at")
        writer.int(created)
        writer.key("status")
        writer.string(literal: status)
        writer.key("model")
        writer.string(model)
        writer.key("error")
        if let error { writer.raw(error[...]) } else { writer.null() }
        writer.key("incomplete_details")
        if let incomplete {
            writer.beginObject()
            writer.key("reason")
            writer.string(literal: incomplete)
            writer.endObject()
        } else {
            writer.null()
        }
        writer.key("output")
        writer.beginArray()
        for item in output { writer.raw(item[...]) }
        writer.endArray()
        writer.key("usage")
        if let usage { Self.write(usage, to: &writer) } else { writer.null() }
        writer.members(echo)
        if let completed {
            writer.key("completed_at")
            writer.int(completed)
        }
        writer.endObject()
        return writer.bytes
    }

    private static func write(_ usage: TokenUsage, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("input_tokens")
        writer.int(usage.prompt)
        writer.key("input_tokens_details")
        writer.beginObject()
        writer.key("cached_tokens")
        writer.int(usage.cached ?? 0)
        writer.key("cache_write_tokens")
        writer.int(usage.cacheWrites ?? 0)
        writer.endObject()
        writer.key("output_tokens")
        writer.int(usage.completion)
        writer.key("output_tokens_details")
        writer.beginObject()
        writer.key("reasoning_tokens")
        writer.int(usage.reasoning ?? 0)
        writer.endObject()
        writer.key("total_tokens")
        writer.int(usage.total)
        writer.endObject()
    }

    /// An event with the response object.
    func write(_ name: StaticString, _ frame: [UInt8], into bytes: inout [UInt8]) {
        bytes.append(literal: "event: ")
        bytes.append(literal: name)
        bytes.append(literal: "\ndata: {\"type\":\"")
        bytes.append(literal: name)
        bytes.append(literal: "\",\"sequence_number\":")
        bytes.append(contentsOf: String(progress.next()).utf8)
        bytes.append(literal: ",\"response\":")
        bytes.append(contentsOf: frame)
        bytes.append(literal: "}\n\n")
    }

    /// The first two events, once.
    ///
    /// - Returns: whether they had not been written.
    func begin(into bytes: inout [UInt8]) -> Bool {
        guard !progress.hasBegun else { return false }
        let frame = frame(status: "in_progress")
        write("response.created", frame, into: &bytes)
        write("response.in_progress", frame, into: &bytes)
        return true
    }

    /// The answer is whole.
    func keep(_ output: [ResponseStore.Item], _ response: [UInt8]) {
        keeping?.shelf.keep(id, input: keeping?.input ?? [], output: output, response: response)
    }
}
