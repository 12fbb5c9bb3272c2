extension SimulatedService {
    /// `POST /openai/v1/responses`.
    func responses(_ request: SignedRequest, _ id: Int, _ account: SimulatedAccount) -> ReplyScript {
        let body: JSON
        do {
            body = try JSONParser.parse(request.body)
        } catch {
            return refuse(id, .cannotParse, "\(error.reason) at byte \(error.offset)")
        }
        let name = body["model"]?.string
        log.update(id) { record in
            record.kind = .chat
            record.model = name
            record.isStream = body["stream"]?.bool ?? false
        }
        let faulty = faultyAnswer(account: account, model: name, kind: .chat)
        if let script = faulty.instead() { return script }
        do throws(ChatValidator.Refusal) {
            try checkCompartment(of: request, account)
            if let mismatch = ResponsesShapes.request.mismatch(body) {
                throw ChatValidator.Refusal(error: .wrongFormat, detail: mismatch)
            }
            let model = try OpenAIValidator(catalogue).model(name ?? "", in: account.region)
            let place = try project(of: request, account, isNeeded: body["store"]?.bool ?? true)
            var before: [JSON] = []
            if let previous = body["previous_response_id"]?.string {
                guard let place, let kept = keptResponses[place, previous] else {
                    throw ChatValidator.Refusal(
                        error: .openAI(
                            "Previous response with id '\(previous)' not found.", param: "previous_response_id",
                            code: "previous_response_not_found"), detail: "no response '\(previous)' in this project")
                }
                before = kept.input + kept.output
            }
            var items: [JSON] = []
            for item in ChatCall.items(of: body) { items.append(try resolved(item, in: place)) }
            let call = ChatCall(responses: body, after: before + items)
            let said = faulty.changed(Answer(to: call, model: model, pacing: faulty.pacing, seed: id))
            let answer = ResponsesAnswer(
                to: body, by: model, said, id: "resp_oci\(account.id)\(id)", created: Int(configuration.now()))
            if let place, body["store"]?.bool ?? true {
                keptResponses[place, answer.id] = KeptResponses.Kept(
                    response: answer.response, input: before + items, output: answer.items)
            }
            return call.isStream != faulty.effects.isOfOtherKind
                ? faulty.stream(answer.events) : faulty.whole(answer.response)
        } catch {
            var script = refuse(id, error.error, error.detail)
            script.delay = faulty.effects.delay
            return script
        }
    }

    /// The item that a reference stands for.
    private func resolved(_ item: JSON, in place: String?) throws(ChatValidator.Refusal) -> JSON {
        guard item["type"]?.string == "item_reference", let reference = item["id"]?.string else { return item }
        guard let place, let known = keptResponses.item(reference, in: place) else {
            throw .init(
                error: .openAI("Item with id '\(reference)' not found.", param: "input", code: "item_not_found"),
                detail: "no item '\(reference)' in this project")
        }
        return known
    }

    /// What stands behind `/openai/v1/responses/`.
    func keptResponse(_ rest: String, _ request: SignedRequest, _ id: Int, _ account: SimulatedAccount) -> ReplyScript {
        let parts = rest.split(separator: "?", maxSplits: 1)[0].split(separator: "/").map(String.init)
        log.update(id) { $0.kind = .models }
        do throws(ChatValidator.Refusal) {
            try checkCompartment(of: request, account)
            guard let place = try project(of: request, account, isNeeded: true), let name = parts.first,
                let kept = keptResponses[place, name]
            else { throw ChatValidator.Refusal(error: .notFound, detail: "no response \(rest) in this project") }
            switch (request.method, parts.dropFirst().first) {
            case ("GET", nil): return .json(200, kept.response)
            case ("GET", "input_items"):
                return .json(200, ["object": "list", "data": .array(kept.input), "has_more": false])
            case ("DELETE", nil):
                keptResponses[place, name] = nil
                return .json(200, ["id": .string(name), "object": "response", "deleted": true])
            case ("POST", "cancel"):
                throw ChatValidator.Refusal(
                    error: .openAI(
                        "Only responses created with background=true can be cancelled.", param: "response_id",
                        code: "invalid_value"), detail: "not in the background")
            default: throw ChatValidator.Refusal(error: .methodNotAllowed, detail: "\(request.method) \(rest)")
            }
        } catch {
            return refuse(id, error.error, error.detail)
        }
    }

    /// Project and region, as the request names them.
    private func project(of request: SignedRequest, _ account: SimulatedAccount, isNeeded: Bool)
        throws(ChatValidator.Refusal) -> String?
    {
        let values = request.all("openai-project")
        if values.isEmpty, !isNeeded { return nil }
        guard values.count == 1, values[0].hasPrefix("ocid1.generativeaiproject.") else {
            throw .init(
                error: .invalidParameter("A project or a conversation store is required when store is true."),
                detail: "header OpenAI-Project is there \(values.count) times")
        }
        return "\(values[0]) \(account.region)"
    }
}
