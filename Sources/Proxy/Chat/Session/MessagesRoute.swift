import NIOCore
import NIOHTTP1
import ProxyRouting

/// `POST /v1/messages` and `POST /v1/messages/count_tokens`: chats of clients that speak Anthropic's Messages.
struct MessagesRoute: Sendable {
    let chat: ChatCompletionsRoute
    let seals: ReasoningSeals
    private var forward: ForwardRoute { ForwardRoute(chat: chat) }

    nonisolated(nonsending) func respond(_ context: RequestContext) async throws {
        let body = context.request.body
        let seal = seals[context.record.key]
        let native = try await chat.native(.messages, context, headers: Self.ownHeaders)
        let request: MessagesRequest
        do {
            request = try await LargeWork.run(on: body.count) { () throws(Failure) in
                try MessagesRequest(body, unsealing: seal)
            }
        } catch let failure as Failure {
            guard let native else { throw failure }
            let client = MessagesDialect(native, sealing: seal, requestID: context.id)
            return try await chat.respond(context, native, since: failure, by: client)
        }
        let client = MessagesDialect(
            request, sealing: seal, requestID: context.id, native: request.isOwn ? nil : native)
        guard !request.isWarmUp else { return try warmUp(request, client, context) }
        try await chat.respond(context, asked: request.chat, by: client)
    }

    /// The client wants a cache warmed, which no upstream here has on demand: there is nothing to be said.
    private func warmUp(_ request: MessagesRequest, _ client: MessagesDialect, _ context: RequestContext)
        throws(Failure)
    {
        context.record.model = request.model
        _ = try chat.directory.catalog.resolve(request.asked, for: .chat, by: context.caller)
        func tell(_ sink: inout some ChatEventSink) {
            sink.begin(choice: 0)
            sink.finish(.length, choice: 0)
            sink.end()
        }
        if request.isStreaming {
            var stream = client.stream()
            tell(&stream)
            context.send(
                Response(
                    status: .ok,
                    headers: ["content-type": "text/event-stream; charset=utf-8", "request-id": context.id],
                    body: ByteBuffer(bytes: stream.bytes)))
        } else {
            var document = client.document()
            tell(&document)
            context.send(.json(document.written(capacity: 512).body))
        }
    }

    private static let ownHeaders = ["anthropic-version", "anthropic-beta"]

    /// What a provider says that speaks the API itself, else an estimate: no other upstream counts without being asked to answer.
    nonisolated(nonsending) func count(_ context: RequestContext) async throws {
        let native = try await chat.native(.messages, context, headers: Self.ownHeaders)
        if let native {
            let name = ModelName.withoutWindow(native.request.model)
            if try await forward.counts(native, named: name, context) { return }
        }
        let body = context.request.body
        let request = try await LargeWork.run(on: body.count) { () throws(Failure) in
            try MessagesRequest(body, unsealing: seals[context.record.key], isCounting: true)
        }
        context.record.model = request.model
        _ = try chat.directory.catalog.resolve(request.asked, for: .chat, by: context.caller)
        var answer = Response.json(Array(#"{"input_tokens":\#(request.estimate)}"#.utf8))
        answer.headers.add(name: "x-ociai-estimate", value: "true")
        answer.headers.add(name: "request-id", value: context.id)
        context.send(answer)
    }
}
