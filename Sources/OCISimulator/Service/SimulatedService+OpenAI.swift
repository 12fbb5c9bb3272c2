/// A call of OCI's own OpenAI-compatible path (OCI wire notes 7).
enum OpenAICall {
    case chat, models, responses
    /// What stands behind the path of responses.
    case response(String)

    /// Nil for every path that is not one of these calls.
    init?(target: String) {
        switch target.prefix(while: { $0 != "?" }) {
        case "/openai/v1/chat/completions", "/20231130/actions/v1/chat/completions": self = .chat
        case "/openai/v1/models": self = .models
        case "/openai/v1/responses", "/20231130/actions/v1/responses": self = .responses
        case let path where path.hasPrefix(Self.responsesPath):
            self = .response(String(target.dropFirst(Self.responsesPath.count)))
        default: return nil
        }
    }

    private static let responsesPath = "/openai/v1/responses/"

    /// Paths where an API key may stand in for a signature.
    static func takesAPIKeys(target: String) -> Bool {
        target.hasPrefix("/openai/v1/") || target.hasPrefix("/20231130/actions/v1/")
    }

    var methods: [String] {
        switch self {
        case .chat, .responses: ["POST"]
        case .models: ["GET"]
        case .response: ["GET", "DELETE", "POST"]
        }
    }
}

extension SimulatedService {
    /// Answers a call of the OpenAI-compatible path. `account` is whose key or signature the request bears.
    func answer(_ call: OpenAICall, _ request: SignedRequest, _ id: Int, _ account: SimulatedAccount) -> ReplyScript {
        guard call.methods.contains(request.method) else {
            return refuse(id, .methodNotAllowed, "\(request.method) \(request.target)")
        }
        guard request.body.count <= configuration.maximumBodySize else {
            return refuse(id, .tooLarge, "body too large")
        }
        switch call {
        case .chat: return openAIChat(request, id, account)
        case .models: return openAIModels(request, id, account)
        case .responses: return responses(request, id, account)
        case .response(let rest): return keptResponse(rest, request, id, account)
        }
    }

    private func openAIChat(_ request: SignedRequest, _ id: Int, _ account: SimulatedAccount) -> ReplyScript {
        let body: JSON
        do {
            body = try JSONParser.parse(request.body)
        } catch {
            return refuse(id, .cannotParse, "\(error.reason) at byte \(error.offset)")
        }
        let model = body["model"]?.string
        log.update(id) { record in
            record.kind = .chat
            record.model = model
            record.isStream = body["stream"]?.bool ?? false
        }
        let faulty = faultyAnswer(account: account, model: model, kind: .chat)
        if let script = faulty.instead() { return script }
        do {
            try checkCompartment(of: request, account)
            let accepted = try OpenAIValidator(
                catalogue,
                refusesLlamaToolsAfterSystem: configuration.refusesLlamaToolsAfterSystem
            ).validate(body, region: account.region)
            let answer = faulty.changed(
                Answer(to: accepted.call, model: accepted.model, pacing: faulty.pacing, seed: id))
            let dialect = OpenAIDialect(
                call: accepted.call, model: accepted.model, id: "chatcmpl-\(id)", created: Int(configuration.now()))
            return accepted.call.isStream != faulty.effects.isOfOtherKind
                ? faulty.stream(dialect.events(answer)) : faulty.whole(dialect.response(answer))
        } catch {
            var script = refuse(id, error.error, error.detail)
            script.delay = faulty.effects.delay
            return script
        }
    }

    private func openAIModels(_ request: SignedRequest, _ id: Int, _ account: SimulatedAccount) -> ReplyScript {
        log.update(id) { $0.kind = .models }
        let faulty = faultyAnswer(account: account, model: nil, kind: .models)
        if let script = faulty.instead() { return script }
        do {
            try checkCompartment(of: request, account)
        } catch {
            return refuse(id, error.error, error.detail)
        }
        guard listsOpenAIModels else { return refuse(id, .notFound, "the listing of this path is switched off") }
        let models = catalogue.models(in: account.region).filter { $0.isOnOpenAIPath && !$0.isRetired }
        let data =
            faulty.effects.content == .empty
            ? []
            : models.map { model -> JSON in
                [
                    "id": .string(model.name), "object": "model",
                    "created": .integer(HTTPDate.seconds(rfc3339: model.timeCreated) ?? 0),
                    "owned_by": .string(model.vendor),
                ]
            }
        return faulty.whole(["object": "list", "data": .array(data)])
    }

    /// The compartment travels in a header here.
    func checkCompartment(
        of request: SignedRequest, _ account: SimulatedAccount
    ) throws(ChatValidator.Refusal) {
        let values = request.all("opc-compartment-id")
        guard values.count == 1 else {
            throw .init(
                error: .notAuthorizedOrNotFound, detail: "header opc-compartment-id is there \(values.count) times")
        }
        guard account.compartments.isEmpty ? values[0].hasPrefix("ocid1.") : account.compartments.contains(values[0])
        else { throw .init(error: .notAuthorizedOrNotFound, detail: "foreign compartment '\(values[0])'") }
    }
}
