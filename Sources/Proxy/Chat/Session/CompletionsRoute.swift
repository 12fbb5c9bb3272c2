import NIOCore
import NIOHTTP1
import ProxyRouting

/// `POST /v1/completions`: the old API, which continues texts. Each prompt is a chat.
struct CompletionsRoute: Sendable {
    let chat: ChatCompletionsRoute

    nonisolated(nonsending) func respond(_ context: RequestContext) async throws {
        let body = context.request.body
        let (name, created) = (ResponseID.drawn(RandomName()), Int(chat.time.wallClock()))
        let native = try await chat.native(.completions, context)
        let request: CompletionsRequest
        do {
            request = try await LargeWork.run(on: body.count) { () throws(Failure) in try CompletionsRequest(body) }
        } catch let failure as Failure {
            guard let native else { throw failure }
            return try await chat.respond(
                context, native, since: failure, by: CompletionsDialect(native, at: created))
        }
        func client(_ prompt: Int) -> CompletionsDialect {
            CompletionsDialect(request, prompt: prompt, named: name, at: created, native: native)
        }
        if request.isSilent, native == nil {
            context.record.model = request.model
            _ = try chat.directory.catalog.resolve(request.model, for: .chat, by: context.caller)
            let answers = request.chats.indices.map { silence(client($0), choices: request.choices) }
            return send(answers, to: request, named: client(0), context)
        }
        if request.chats.count > 1, let native,
            try passes(native, request, for: context)
        {
            return try await chat.respond(
                context, native, since: .severalPrompts, by: CompletionsDialect(native, at: created))
        }
        if request.chats.count == 1 { return try await chat.respond(context, asked: request.chats[0], by: client(0)) }
        var sessions: [ChatSession] = []
        for (index, asked) in request.chats.enumerated() {
            sessions.append(
                try ChatSession(asked: asked, from: client(index), for: context, by: chat, call: index))
        }
        guard request.isStreaming else {
            return send(try await answers(of: sessions), to: request, named: client(0), context)
        }
        try await stream(sessions, request, client(0), context)
    }

    /// All are there before the first is told; until then the client is reassured.
    private nonisolated(nonsending) func stream(
        _ sessions: [ChatSession], _ request: CompletionsRequest, _ client: CompletionsDialect,
        _ context: RequestContext
    ) async throws {
        let stream = EventStream(
            on: context.connection, headers: context.decorated(ChatSession.streamHeaders),
            keepAliveInterval: chat.limits.keepAlive, charge: context.charge, route: context.decoration.route,
            keepAlive: { client.keepAlive($0, id: $1) })
        stream.open()
        defer { context.record.sent = stream.sent }
        do {
            stream.send(last: ByteBuffer(bytes: events(try await answers(of: sessions), of: request, named: client)))
            stream.finish()
            context.record.status = 200
        } catch {
            guard let failure = context.terminalError(after: error) else {
                stream.abandon()
                throw error
            }
            let clientError = client.error(failure)
            context.record.error = clientError.code
            context.record.status = try await stream.fail(
                failure, context.decorated(clientError.response), orEvent: { client.errorEvent(failure) })
        }
    }

    /// Several prompts of one request are for one upstream, where all that may be asked speak the API.
    private func passes(_ native: NativeRequest, _ request: CompletionsRequest, for context: RequestContext)
        throws(Failure) -> Bool
    {
        let catalog = chat.directory.catalog
        let target = try catalog.resolve(request.model, for: .chat, by: context.caller)
        return catalog.speaking(.completions, of: target) == target.accepts
            && !(request.isStreaming && chat.limits.forcesNonStreaming)
    }

    /// Nothing beside the echo.
    private func silence(_ client: CompletionsDialect, choices: Int) -> ClientResponse {
        var document = client.document()
        for choice in 0..<min(max(choices, 1), ChoiceProgress.mostChoices) {
            document.begin(choice: choice)
            document.finish(.length, choice: choice)
        }
        document.end()
        return document.written(capacity: 512)
    }

    /// All at once; the first failure ends the others.
    private nonisolated(nonsending) func answers(of sessions: [ChatSession]) async throws -> [ClientResponse] {
        try await withThrowingTaskGroup(of: (Int, ClientResponse).self) { group in
            for (index, session) in sessions.enumerated() {
                // nonisolated(unsafe): each session belongs to its task alone, and what they share of the request is only read meanwhile.
                nonisolated(unsafe) let session = session
                group.addTask { unsafe (index, try await session.response()) }
            }
            var answers: [Int: ClientResponse] = [:]
            while let (index, answer) = try await group.next() { answers[index] = answer }
            return sessions.indices.compactMap { answers[$0] }
        }
    }

    private func send(
        _ answers: [ClientResponse], to request: CompletionsRequest, named client: CompletionsDialect,
        _ context: RequestContext
    ) {
        guard request.isStreaming else {
            let (choices, usage) = Self.gathered(answers)
            let whole = usage ?? TokenUsage(prompt: 0, completion: 0, total: 0)
            return context.send(.json(Self.document(choices, usage: whole, named: client)))
        }
        context.send(
            Response(
                status: .ok, headers: ChatSession.streamHeaders,
                body: ByteBuffer(bytes: events(answers, of: request, named: client))))
    }

    private static func gathered(_ answers: [ClientResponse]) -> (choices: [JSONValue], usage: TokenUsage?) {
        let choices = answers.compactMap { try? JSONDocument(parsing: $0.body).root }.flatMap {
            $0.elements(of: "choices")
        }
        return (choices, answers.compactMap(\.usage).reduce(nil) { sum, more in sum.map { $0 + more } ?? more })
    }

    private static func document(_ choices: [JSONValue], usage: TokenUsage?, named client: CompletionsDialect)
        -> [UInt8]
    {
        var writer = JSONWriter(capacity: choices.reduce(512) { $0 + $1.raw.count })
        client.begin(&writer)
        writer.beginArray()
        for choice in choices { writer.raw(choice.raw) }
        writer.endArray()
        if let usage {
            writer.key("usage")
            CompletionsDialect.write(usage, to: &writer)
        }
        writer.endObject()
        return writer.bytes
    }

    private func events(_ answers: [ClientResponse], of request: CompletionsRequest, named client: CompletionsDialect)
        -> [UInt8]
    {
        let (choices, usage) = Self.gathered(answers)
        var bytes: [UInt8] = []
        func event(_ data: [UInt8]) { bytes += Array("data: ".utf8) + data + Array("\n\n".utf8) }
        for choice in choices { event(Self.document([choice], usage: nil, named: client)) }
        if request.includesUsage, let usage { event(Self.document([], usage: usage, named: client)) }
        bytes.append(literal: "data: [DONE]\n\n")
        return bytes
    }
}

extension Failure {
    fileprivate static let severalPrompts = Failure.invalidRequest(
        "Several prompts in one request are not served by this model.", field: "prompt")
}
