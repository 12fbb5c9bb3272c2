import NIOHTTP1
import ProxyRouting

/// `/v1/responses`: chats of clients that speak OpenAI's Responses, and what has been kept of them.
struct ResponsesRoute: Sendable {
    let chat: ChatCompletionsRoute
    let seals: ReasoningSeals
    let store: ResponseStore
    let makers: ResponseMakers
    /// What other instances have kept; nil where there are none.
    var shared: SharedResponses?
    private var forward: ForwardRoute { ForwardRoute(chat: chat) }

    nonisolated(nonsending) func respond(_ context: RequestContext) async throws {
        let body = context.request.body
        let seal = seals[context.record.key]
        let shelf = shelf(of: context)
        let isSpoken = chat.directory.catalog.speaks(.responses)
        // Where only this process can have what the request builds on, nothing is looked up before the request is read as a whole.
        let named: ResponsesRequest.References =
            isSpoken || shared != nil ? ResponsesRequest.references(in: body) : ([], [])
        try await shared?.bring(responses: named.responses, items: named.items, of: seal.owner)
        let bytes = try claim(body, shelf, context)
        guard isSpoken else { return try await translate(context, nil, bytes, seal, shelf) }
        let home = try home(of: named, shelf, seal.owner)
        let native = try await chat.native(
            .responses, context, home: home, isInForeground: context.charge?.mayRefuse ?? false,
            onKept: note(of: seal.owner, asking: body))
        if home != nil, let native {
            let client = ResponsesDialect(native, sealing: seal, on: chat.time)
            return try await chat.respond(context, native, since: .madeElsewhere(native.request.model), by: client)
        }
        try await translate(context, native, bytes, seal, shelf)
    }

    /// Reads the request as a chat. What is none, or names what nobody here knows, goes to who speaks the API.
    private nonisolated(nonsending) func translate(
        _ context: RequestContext, _ native: NativeRequest?, _ bytes: Int, _ seal: ReasoningSeal,
        _ shelf: ResponseStore.Shelf
    ) async throws {
        let body = context.request.body
        let request: ResponsesRequest
        do {
            request = try await LargeWork.run(on: bytes) { () throws(Failure) in
                try ResponsesRequest(body, unsealing: seal, from: shelf)
            }
        } catch let failure as Failure {
            // What is kept here, no upstream knows.
            guard let native, bytes == body.count else { throw failure }
            let client = ResponsesDialect(native, sealing: seal, on: chat.time)
            return try await chat.respond(context, native, since: failure, by: client)
        }
        let client = ResponsesDialect(
            request, sealing: seal, keepingIn: shelf, on: chat.time, native: request.isOwn ? nil : native)
        try await chat.respond(context, asked: request.chat, by: client)
    }

    // MARK: What upstreams keep

    /// Where what the request builds on is kept, if that is at an upstream.
    ///
    /// - Throws: 400 or 404 for what another key has made.
    private func home(
        of named: ResponsesRequest.References, _ shelf: ResponseStore.Shelf, _ key: String
    ) throws(Failure) -> String? {
        var home: String?
        for id in named.responses where shelf[id] == nil {
            switch makers.known(id, to: key) {
            case .made(let maker): home = home ?? maker.home
            case .foreign: throw .previousNotFound(id, on: shelf)
            case .nothing: break
            }
        }
        for id in named.items where shelf.item(id) == nil {
            switch makers.known(id, to: key) {
            case .made(let maker): home = home ?? maker.home
            case .foreign: throw .itemNotFound(id)
            case .nothing: break
            }
        }
        return home
    }

    /// What a response builds on is where it was made, too, which may have been forgotten.
    private func note(of key: String, asking body: [UInt8]) -> NativeRequest.Note {
        let catalog = chat.directory.catalog
        let previous = ResponsesRequest.previous(in: body)
        return { [makers] id, upstream, model, name in
            guard let home = catalog.home(of: upstream) else { return }
            for id in [id, previous] {
                if let id { makers.note(id, of: key, ResponseMakers.Maker(home: home, model: model, name: name)) }
            }
        }
    }

    /// `POST /v1/responses/input_tokens`: what a provider says that speaks the API itself, else an estimate.
    nonisolated(nonsending) func count(_ context: RequestContext) async throws {
        let body = context.request.body
        let (seal, shelf) = (seals[context.record.key], shelf(of: context))
        let named = ResponsesRequest.references(in: body)
        try await shared?.bring(responses: named.responses, items: named.items, of: seal.owner)
        let isElsewhere = try home(of: named, shelf, seal.owner) != nil
        let native = try await chat.native(.responses, context)
        if let native, try await forward.counts(native, named: native.request.model, context) { return }
        let request = try await LargeWork.run(on: try claim(body, shelf, context)) { () throws(Failure) in
            try ResponsesRequest(
                body, unsealing: seal, from: shelf, isCounting: true, ignoresPrevious: isElsewhere)
        }
        context.record.model = request.model
        _ = try chat.directory.catalog.resolve(request.model, for: .chat, by: context.caller)
        var answer = Response.json(
            Array(#"{"object":"response.input_tokens","input_tokens":\#(request.estimate)}"#.utf8))
        answer.headers.add(name: "x-ociai-estimate", value: "true")
        context.send(answer)
    }

    /// What a request builds on is read with it, and takes room as a body does.
    ///
    /// - Returns: bytes of both.
    private func claim(_ body: [UInt8], _ shelf: ResponseStore.Shelf, _ context: RequestContext) throws(Failure) -> Int
    {
        guard let previous = ResponsesRequest.previous(in: body) else { return body.count }
        let kept = shelf.bytes(of: previous)
        guard kept == 0 || context.request.ticket.claim(bodyBytes: kept) else {
            throw Failure(
                .overloaded(.bodyMemory),
                "The memory for request bodies is in use by other requests. Try again in a moment.", retryAfter: 1)
        }
        return body.count + kept
    }

    /// By the key itself and not by its name, which another key may have after a reload.
    private func shelf(of context: RequestContext) -> ResponseStore.Shelf {
        store.shelf(of: seals[context.record.key].owner)
    }

    // MARK: What is kept

    /// What stands behind `/v1/responses/`.
    private enum KeptCall { case fetch, items, delete, cancel }

    /// `GET`, `DELETE` and `POST` of a response: of one that is kept here, or at the upstream that has made it.
    nonisolated(nonsending) func kept(_ context: RequestContext) async throws {
        let parts = (context.rest ?? "").split(separator: "/", maxSplits: 1).map(String.init)
        let key = seals[context.record.key].owner
        let shelf = store.shelf(of: key)
        guard let id = parts.first else { throw Failure.unknownResponse("", on: shelf) }
        let call = try call(context, id, parts.dropFirst().first)
        try await shared?.bring(responses: [id], of: key)
        if let kept = shelf[id] {
            let answer = try answer(call, id, kept, context.request.head.uri)
            if call == .delete { _ = try await erase(id, from: shelf) }
            return context.send(answer)
        }
        // Of which the disk did not say that it has gone.
        if call == .delete, try await erase(id, from: shelf) { return context.send(Self.deleted(id)) }
        guard case .made(let maker) = makers.known(id, to: key) else { throw Failure.unknownResponse(id, on: shelf) }
        guard !chat.directory.catalog.upstreams(at: maker.home).isEmpty else {
            throw Failure.keptElsewhere(id)
        }
        let isThere = try await forward.call(
            context, at: maker, "/responses/" + parts.map(\.percentEncodedForQuery).joined(separator: "/"))
        if call == .delete || !isThere { makers.forget(id, of: key) }
        if !isThere { throw Failure.unknownResponse(id, on: shelf) }
    }

    private func call(_ context: RequestContext, _ id: String, _ rest: String?) throws(Failure) -> KeptCall {
        let method = context.request.head.method
        let calls: [(method: HTTPMethod, call: KeptCall)]
        switch rest {
        // Else it is an endpoint of that API that is not here.
        case nil where method != .POST || id.hasPrefix("resp_"):
            calls = [(.GET, .fetch), (.HEAD, .fetch), (.DELETE, .delete)]
        case "input_items": calls = [(.GET, .items), (.HEAD, .items)]
        case "cancel": calls = [(.POST, .cancel)]
        default: throw .unknownPath(RequestTarget.withoutQuery(context.request.head.uri))
        }
        if let call = calls.first(where: { $0.method == method })?.call { return call }
        context.allowedMethods = calls.map(\.method)
        throw .methodNotAllowed(method, allowed: context.allowedMethods)
    }

    private func erase(_ id: String, from shelf: ResponseStore.Shelf) async throws(Failure) -> Bool {
        do {
            return try await shelf.erase(id)
        } catch {
            // The reason names paths; it is in the log.
            throw Failure(
                .overloaded(.ledger),
                "The response is deleted here from now on, but that could not be written down for good, so that it could be there again after a restart of the proxy, or at another instance of it. Delete it again later.",
                retryAfter: 5)
        }
    }

    private static func deleted(_ id: String) -> Response {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("id")
        writer.string(id)
        writer.key("object")
        writer.string(literal: "response")
        writer.key("deleted")
        writer.bool(true)
        writer.endObject()
        return .json(writer.bytes)
    }

    private func answer(
        _ call: KeptCall, _ id: String, _ kept: ResponseStore.Kept, _ target: String
    ) throws(Failure) -> Response {
        switch call {
        case .fetch:
            if RequestTarget.query("stream", of: target) == "true" {
                throw .refused(
                    "A stored response cannot be streamed again by this proxy; fetch it without 'stream'.",
                    field: "stream", code: "unsupported_value")
            }
            return .json(kept.response)
        case .items: return try items(kept.input, asked: target)
        case .delete: return Self.deleted(id)
        case .cancel:
            let root = try? JSONDocument(parsing: kept.response).root
            guard root?["background"]?.bool == true else {
                throw .refused(
                    "Only responses created with background=true can be cancelled.", field: nil, code: nil)
            }
            return .json(kept.response)
        }
    }

    /// A page of a request's items: the newest first, unless the client wants otherwise.
    private func items(_ all: [ResponseStore.Item], asked target: String) throws(Failure) -> Response {
        let limit = RequestTarget.query("limit", of: target).map { Int($0) ?? 0 } ?? 20
        guard (1...100).contains(limit) else {
            throw .invalidRequest("'limit' must be from 1 to 100.", field: "limit", as: .value)
        }
        var items = all
        if RequestTarget.query("order", of: target) != "asc" { items.reverse() }
        if let after = RequestTarget.query("after", of: target) {
            guard let place = items.firstIndex(where: { $0.id == after }) else {
                throw .invalidRequest("'after' names no item of this response.", field: "after", as: .value)
            }
            items.removeFirst(place + 1)
        }
        let page = items.prefix(limit)
        var writer = JSONWriter(capacity: 1024)
        writer.beginObject()
        writer.key("object")
        writer.string(literal: "list")
        writer.key("data")
        writer.beginArray()
        for item in page { writer.raw(item.bytes[...]) }
        writer.endArray()
        writer.key("first_id")
        if let first = page.first { writer.string(first.id) } else { writer.null() }
        writer.key("last_id")
        if let last = page.last { writer.string(last.id) } else { writer.null() }
        writer.key("has_more")
        writer.bool(items.count > limit)
        writer.endObject()
        return .json(writer.bytes)
    }
}

extension Failure {
    /// 404 in OpenAI's words.
    static func unknownResponse(_ id: String, on shelf: ResponseStore.Shelf) -> Failure {
        .refused("Response with id '\(id.quotable)' not found. \(shelf.absence)", field: nil, code: nil, status: 404)
    }

    /// 404: it is kept where nobody is asked any more.
    fileprivate static func keptElsewhere(_ id: String) -> Failure {
        .refused(
            "Response with id '\(id.quotable)' is kept at an upstream that is not in use. The operator has disabled or changed its account or provider.",
            field: nil, code: nil, status: 404)
    }

    /// 400: what the request builds on is kept where its model is not.
    fileprivate static func madeElsewhere(_ model: String) -> Failure {
        .refused(
            "The response or item that this request builds on is kept at another upstream than those of '\(model.quotable)'. Use the model that has made it, or send the whole conversation.",
            field: "previous_response_id", code: "previous_response_not_found")
    }
}
