import Synchronization

/// The service behind the sockets: a request comes in, the script of its answer goes out.
package final class SimulatedService: Sendable {
    private struct Settings: Sendable {
        var pacing: Pacing
        var faults = FaultTable()
        var listsOpenAIModels: Bool
        var catalogue: Catalogue

        init(_ configuration: SimulatorConfiguration) {
            pacing = configuration.pacing
            listsOpenAIModels = configuration.listsOpenAIModels
            catalogue = configuration.catalogue
        }
    }

    /// Who sent a request, as far as it says so.
    private enum Caller {
        /// Not checked yet.
        case signature(SignatureVerifier.Claim)
        case apiKey(SimulatedAccount)

        var account: SimulatedAccount {
            switch self {
            case .signature(let claim): claim.account
            case .apiKey(let account): account
            }
        }
    }

    package let configuration: SimulatorConfiguration
    package let log: RequestLog
    package let credentials: CredentialServices
    package let apiKeys: APIKeys
    let keptResponses = KeptResponses()
    private let verifier: SignatureVerifier
    private let settings: Mutex<Settings>

    package init(_ configuration: SimulatorConfiguration) {
        self.configuration = configuration
        log = RequestLog(limit: configuration.recordLimit, now: configuration.now)
        credentials = CredentialServices(configuration)
        verifier = SignatureVerifier(configuration.accounts, tokens: credentials.issuer)
        apiKeys = APIKeys(configuration.accounts)
        settings = Mutex(Settings(configuration))
    }

    package var pacing: Pacing {
        get { settings.withLock { $0.pacing } }
        set { settings.withLock { $0.pacing = newValue } }
    }

    /// Whether `GET /openai/v1/models` answers a list, or 404.
    package var listsOpenAIModels: Bool {
        get { settings.withLock { $0.listsOpenAIModels } }
        set { settings.withLock { $0.listsOpenAIModels = newValue } }
    }

    /// Its models, as tests have changed them.
    package var catalogue: Catalogue {
        get { settings.withLock { $0.catalogue } }
        set { settings.withLock { $0.catalogue = newValue } }
    }

    package func add(_ fault: Fault) { settings.withLock { $0.faults.add(fault) } }

    package func removeFaults() { settings.withLock { $0.faults.removeAll() } }

    /// Faults, records, totals, pacing and API keys as at the start.
    package func reset() {
        settings.withLock { $0 = Settings(configuration) }
        log.reset()
        apiKeys.reset()
        keptResponses.reset()
        credentials.issuer.reset()
    }

    /// Answers one request. The caller reports the end of the answer to the log.
    package func answer(_ request: SignedRequest) -> (id: Int, account: String?, script: ReplyScript) {
        if let kind = credentials.kind(of: request.target) { return answer(request, kind) }
        let caller = Result { () throws(SignatureRefusal) in try self.caller(of: request) }
        let claimed = try? caller.get().account.id
        let id = log.begin(request, account: claimed)
        var script: ReplyScript
        do {
            let caller = try caller.get()
            if case .signature(let claim) = caller {
                try verifier.verify(claim, of: request, now: Int(configuration.now()))
            }
            script = route(request, id, caller.account)
        } catch {
            log.update(id) { $0.refusal = error.description }
            script = .error(.notAuthenticated)
        }
        return (id, claimed, stamped(script, request))
    }

    private func caller(of request: SignedRequest) throws(SignatureRefusal) -> Caller {
        guard OpenAICall.takesAPIKeys(target: request.target), APIKeys.isOffered(by: request) else {
            return .signature(try verifier.claim(of: request))
        }
        return .apiKey(try apiKeys.account(of: request))
    }

    /// Answers a request to a service that gives out credentials.
    private func answer(_ request: SignedRequest, _ kind: RequestKind) -> (
        id: Int, account: String?, script: ReplyScript
    ) {
        let account = configuration.accounts.first?.id
        let id = log.begin(request, account: nil)
        log.update(id) { $0.kind = kind }
        let effects = settings.withLock { $0.faults.effects(account: account ?? "", model: nil, kind: kind) }
        let faulty = FaultyAnswer(effects: effects, pacing: Pacing())
        if let script = faulty.instead() { return (id, nil, stamped(script, request)) }
        var (script, refusal) = credentials.answer(request)
        if let refusal { log.update(id) { $0.refusal = refusal } }
        script.delay = effects.delay
        return (id, nil, stamped(script, request))
    }

    private func stamped(_ script: ReplyScript, _ request: SignedRequest) -> ReplyScript {
        var script = script
        script.headers.append(("opc-request-id", Self.requestID(for: request)))
        script.headers.append(("date", HTTPDate.format(Int(configuration.now()))))
        return script
    }

    /// Three segments of 32 hex digits; the first is the client's own, where it has one.
    private static func requestID(for request: SignedRequest) -> String {
        let own = request.all("opc-request-id").first?.split(separator: "/").first
        let made = requestID()
        return own.map { "\($0)/" + made.split(separator: "/").dropFirst().joined(separator: "/") } ?? made
    }

    private static func requestID() -> String {
        var random = SplitMix64()
        let digits = Array("0123456789ABCDEF".utf8)
        var text: [UInt8] = []
        for segment in 0..<3 {
            if segment > 0 { text.append(UInt8(ascii: "/")) }
            for _ in 0..<2 {
                let word = random.next()
                for shift in stride(from: 60, through: 0, by: -4) { text.append(digits[Int(word >> shift & 15)]) }
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    private func route(_ request: SignedRequest, _ id: Int, _ account: SimulatedAccount) -> ReplyScript {
        if let call = OpenAICall(target: request.target) { return answer(call, request, id, account) }
        let path = request.target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)[0]
        let kind: RequestKind
        let method: String
        switch path {
        case "/20231130/actions/chat": (kind, method) = (.chat, "POST")
        case "/20231130/actions/embedText": (kind, method) = (.embed, "POST")
        case "/20231130/actions/rerankText": (kind, method) = (.rerank, "POST")
        case "/20231130/models": (kind, method) = (.models, "GET")
        case "/20231130/endpoints": (kind, method) = (.endpoints, "GET")
        case _ where path.hasPrefix("/20231130/models/"): (kind, method) = (.models, "GET")
        default: return refuse(id, .notAuthorizedOrNotFound, "unknown path \(path)")
        }
        guard request.method == method else { return refuse(id, .methodNotAllowed, "\(request.method) \(path)") }
        guard request.body.count <= configuration.maximumBodySize else {
            return refuse(id, .tooLarge, "body too large")
        }
        guard method == "POST" else {
            if path.hasPrefix("/20231130/models/") {
                return model(String(path.dropFirst("/20231130/models/".count)), id, account)
            }
            return listing(kind, request, id, account)
        }
        let body: JSON
        do {
            body = try JSONParser.parse(request.body)
        } catch {
            return refuse(id, .cannotParse, "\(error.reason) at byte \(error.offset)")
        }
        let model = (body["servingMode"]?["modelId"] ?? body["servingMode"]?["endpointId"])?.string
        let isStream = body["chatRequest"]?["isStream"]?.bool ?? false
        log.update(id) { record in
            record.kind = kind
            record.model = model
            record.isStream = isStream
        }
        let faulty = faultyAnswer(account: account, model: model, kind: kind)
        if let script = faulty.instead() { return script }
        do {
            if kind == .chat { return try chat(body, id, account, faulty) }
            let embeddings = Embeddings(
                catalogue: catalogue, region: account.region, compartments: account.compartments)
            return faulty.whole(kind == .embed ? try embeddings.embed(body) : try embeddings.rerank(body))
        } catch {
            var script = refuse(id, error.error, error.detail)
            script.delay = faulty.effects.delay
            return script
        }
    }

    /// What the faults and the pacing make of the answer to come. Only answers of models are paced.
    func faultyAnswer(account: SimulatedAccount, model: String?, kind: RequestKind) -> FaultyAnswer {
        settings.withLock { settings in
            let isPaced = kind != .models && kind != .endpoints
            return FaultyAnswer(
                effects: settings.faults.effects(account: account.id, model: model, kind: kind),
                pacing: isPaced ? settings.pacing : Pacing())
        }
    }

    func refuse(_ id: Int, _ error: ServiceError, _ detail: String) -> ReplyScript {
        log.update(id) { $0.refusal = detail }
        return .error(error)
    }

    private func chat(
        _ body: JSON, _ id: Int, _ account: SimulatedAccount, _ faulty: FaultyAnswer
    ) throws(ChatValidator.Refusal) -> ReplyScript {
        let accepted = try ChatValidator(catalogue).validate(
            body, region: account.region, compartments: account.compartments)
        let (call, model) = (accepted.call, accepted.model)
        let answer = faulty.changed(Answer(to: call, model: model, pacing: faulty.pacing, seed: id))
        let dialect = call.dialect(model: model)
        var script: ReplyScript
        if call.isStream != faulty.effects.isOfOtherKind {
            script = faulty.stream(dialect.events(answer))
        } else {
            script = faulty.whole([
                "modelId": .string(model.name), "modelVersion": .string(model.version),
                "chatResponse": dialect.response(answer, now: Int(configuration.now() * 1000)),
            ])
        }
        if let info = model.retirementInfo { script.headers.append(("model-retirement-info", info)) }
        return script
    }

    /// `GET /20231130/models/{ocid}`.
    private func model(_ ocid: String, _ id: Int, _ account: SimulatedAccount) -> ReplyScript {
        log.update(id) { $0.kind = .models }
        let faulty = faultyAnswer(account: account, model: nil, kind: .models)
        if let script = faulty.instead() { return script }
        guard
            let model = catalogue.models(in: account.region).first(where: {
                $0.ocid(in: account.region) == ocid
            })
        else {
            return refuse(id, .notAuthorizedOrNotFound, "unknown model")
        }
        return faulty.whole(model.summary(in: account.region, compartment: account.compartments.first ?? ""))
    }

    private func listing(
        _ kind: RequestKind, _ request: SignedRequest, _ id: Int, _ account: SimulatedAccount
    ) -> ReplyScript {
        log.update(id) { $0.kind = kind }
        let faulty = faultyAnswer(account: account, model: nil, kind: kind)
        if let script = faulty.instead() { return script }
        let listing = ModelListing(
            catalogue: catalogue, region: account.region, compartments: account.compartments,
            pageSize: configuration.modelPageSize, hasEmptyPage: configuration.hasEmptyModelPage)
        let query = Query(target: request.target)
        do {
            let page = kind == .models ? try listing.models(query) : try listing.endpoints(query)
            var script = faulty.whole(faulty.effects.content == .empty ? ["items": []] : page.body)
            if let next = page.next { script.headers.append(("opc-next-page", next)) }
            return script
        } catch {
            return refuse(id, error, error.message)
        }
    }
}

extension SimulatedAccount {
    /// What the compartment of a request may be; empty: anything.
    var compartments: [String] { compartment.map { [$0, tenancy] } ?? [] }
}
