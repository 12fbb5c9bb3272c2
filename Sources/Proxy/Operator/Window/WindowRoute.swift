import NIOCore
import NIOHTTP1
import ProxyAccounting
import ProxyRouting

/// `/dashboard/…`: what the operator's page asks for.
struct WindowRoute: Sendable {
    let feed: WindowFeed
    /// The configuration is still the one that the feed goes by.
    var isCurrent: @Sendable () -> Bool = { true }
    let accountList: AccountList
    let router: Router
    let directory: ModelDirectory
    let fallbacks: [String: [String]]
    let rescue: RescuePolicy
    let quirks: ModelQuirks
    let prices: PriceTable
    let retirements: ModelRetirements
    let keys: [ClientKey]
    let managed: ManagedKeys
    let accounts: KeyAccounts
    let earlier: EarlierUses

    /// A viewer's browser has so long to take what there is for it.
    private static let patience = Duration.seconds(15)
    private static let keepAlive = Duration.seconds(15)
    static let minutes = 1440

    private var time: TimeSource { router.time }

    func state() async -> Response { .unstored(await feed.whole().text) }

    /// `GET /dashboard/events`: the whole state, then what changes. It ends with a reload, for the viewer to ask again, with the
    /// viewer's right to it, and when the process is to end.
    nonisolated(nonsending) func events(
        _ context: RequestContext, whileAllowed isAllowed: @Sendable (RequestContext) -> Bool
    ) async throws {
        guard await feed.enter() else {
            throw Failure(
                .overloaded(.viewers),
                "\(WindowFeed.mostViewers) viewers watch already. Close a page, or try again later.", retryAfter: 30)
        }
        do {
            try await watch(context, isAllowed)
            await feed.leave()
        } catch {
            await feed.leave()
            throw error
        }
    }

    private nonisolated(nonsending) func watch(
        _ context: RequestContext, _ isAllowed: @Sendable (RequestContext) -> Bool
    ) async throws {
        guard
            let stream = context.begin([
                "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no",
            ])
        else { return }
        defer { context.record.sent = stream.sent }
        var (version, text) = await feed.whole()
        try await send(text, as: "state", over: stream)
        var lastSent = time.now()
        while true {
            try await time.sleep(for: WindowFeed.interval)
            guard isCurrent(), isAllowed(context), !context.isDraining else { return stream.finish() }
            if let change = await feed.change(since: version) {
                version = change.version
                try await send(change.text, as: "change", over: stream)
                lastSent = time.now()
            } else if time.now() - lastSent >= Self.keepAlive {
                try await send(Array(": keep-alive\n\n".utf8), over: stream)
                lastSent = time.now()
            }
        }
    }

    private nonisolated(nonsending) func send(_ document: [UInt8], as event: StaticString, over stream: EventStream)
        async throws
    {
        var text = Array("event: \(event)\ndata: ".utf8)
        text += document
        text += [UInt8(ascii: "\n"), UInt8(ascii: "\n")]
        try await send(text, over: stream)
    }

    /// A viewer whose browser has stopped reading is let go of.
    private nonisolated(nonsending) func send(_ text: [UInt8], over stream: EventStream) async throws {
        let deadline = MovingDeadline(at: time.now() + Self.patience, for: .request, on: time)
        deadline.arm()
        defer { deadline.disarm() }
        do { try await stream.send(ByteBuffer(bytes: text), until: deadline) } catch { throw CancellationError() }
    }

    // MARK: A day's health

    /// `GET /dashboard/strips`: a letter a minute for each upstream.
    func strips() async -> Response {
        let snapshot = await router.snapshot()
        var writer = JSONWriter(capacity: 4096)
        writer.beginObject()
        writer.key("to")
        writer.moment(time.wallClock())
        writer.key("minutes")
        writer.int(Self.minutes)
        writer.key("upstreams")
        writer.beginObject()
        for (upstream, state) in snapshot.upstreams(of: accountList) {
            writer.key(upstream.id)
            let strip = state.history.strip(minutes: Self.minutes, since: upstream.began, at: snapshot.at)
            writer.string(String(decoding: strip.map(\.letter), as: UTF8.self))
        }
        writer.endObject()
        writer.endObject()
        return .unstored(writer.bytes)
    }

    // MARK: Models

    /// `GET /dashboard/models`: who serves each, what it costs, and until when it is there.
    func models() -> Response {
        let catalog = directory.catalog
        let upstreams = router.upstreams.map(\.id)
        var writer = JSONWriter(capacity: 8192)
        writer.beginObject()
        writer.key("models")
        writer.beginArray()
        for entry in catalog.entries + catalog.otherEntries { write(entry, catalog, upstreams, &writer) }
        writer.endArray()
        writer.endObject()
        return .unstored(writer.bytes)
    }

    private func write(
        _ entry: ModelCatalog.Entry, _ catalog: ModelCatalog, _ upstreams: [String], _ writer: inout JSONWriter
    ) {
        let id = entry.target.serving.id
        writer.beginObject()
        writer.key("id")
        writer.string(entry.name)
        writer.key("model_id")
        writer.string(id)
        writer.key("provider")
        writer.text(entry.provider)
        writer.key("upstreams")
        writer.beginArray()
        for index in entry.target.accepts { writer.string(upstreams[index]) }
        writer.endArray()
        let found = prices.price(asked: entry.name, id: id, provider: entry.provider)
        writer.key("price")
        writer.text(found.map { PriceText.text($0.price) })
        writer.key("price_source")
        writer.text(found.map(\.source))
        let retirement = catalog.retirement(of: entry, retirements)
        writer.key("retires_at")
        writer.moment(retirement?.at)
        for (name, text) in [("retirement_note", retirement?.words), ("successor", retirement?.successor)] {
            writer.key(name)
            writer.text(text)
        }
        writer.key("context_window")
        let limits = entry.provider == nil ? ModelLimits.of(entry.target.modelID) : nil
        writer.count(limits.map { Int64($0.context) })
        writer.key("rescue")
        writer.bool(rescue.mode(for: entry.name, of: entry.provider, wish: { nil }) > .off)
        writer.key("refused_parameters")
        writer.strings(refusedParameters(of: entry))
        writer.key("fallbacks")
        writer.strings(fallbacks[entry.name] ?? [])
        writer.endObject()
    }

    /// What is left out of its requests.
    private func refusedParameters(of entry: ModelCatalog.Entry) -> [String] {
        let id = entry.target.serving.id
        guard let provider = entry.provider else {
            return quirks.family(of: entry.target.modelID).refuses.map(\.rawValue).sorted()
        }
        return quirks.provider(of: "\(provider)/\(id)").leftOut.sorted()
    }

    // MARK: Keys

    /// `GET /dashboard/usage`: how each key stands with its budgets.
    func usage() async -> Response {
        let now = time.wallClock()
        let earlier = await earlier.all
        var writer = JSONWriter(capacity: 4096)
        writer.beginObject()
        writer.key("keys")
        writer.beginArray()
        let all = keys.map { ($0.name, $0.limits) } + managed.all.map { ($0.name, $0.limits) }
        for (name, limits) in all {
            let account = accounts.account(of: name)
            writer.beginObject()
            writer.key("name")
            writer.string(name)
            writer.key("running")
            writer.int(account.requests)
            writer.key("last_used")
            writer.moment(account.lastUsed ?? earlier[name])
            let counters = account.counters(at: now)
            writer.key("requests")
            writer.int(counters.first { $0.window == .month }.map { Int($0.requests) } ?? 0)
            for counter in counters where counter.window == .day || counter.window == .month {
                writer.counter(counter)
            }
            writer.budgets(of: limits, account, at: now)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return .unstored(writer.bytes)
    }
}

extension HealthHistory.State? {
    /// As the page draws it.
    fileprivate var letter: UInt8 {
        switch self {
        case .none: UInt8(ascii: ".")
        case .ready: UInt8(ascii: "r")
        case .cooling: UInt8(ascii: "c")
        case .open: UInt8(ascii: "o")
        case .unhealthy: UInt8(ascii: "u")
        }
    }
}
