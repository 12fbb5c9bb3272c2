import FoundationEssentials
import NIOCore

/// The unsigned paths under `/__control/`, by which a test in another process steers the simulator:
///
/// | call | body or answer |
/// |---|---|
/// | `POST /__control/faults` | one fault, a list of them, or `{"faults": [...]}` (see `Fault.init(_:)`) |
/// | `DELETE /__control/faults` | takes all faults away |
/// | `POST /__control/pacing` | `events`, `text`, `intervalMs`, `firstDelayMs`, `separator`; null unsets |
/// | `POST /__control/listeners` | `{"account": "account_1", "open": false}` |
/// | `POST /__control/tokens` | `{"lifetime": 60}` (seconds, of tokens to come), `{"revoke": true}` |
/// | `POST /__control/openai` | `{"listsModels": false}`: whether `GET /openai/v1/models` answers a list, or 404 |
/// | `POST /__control/retirement` | `{"model": "xai.grok-3", "timeOnDemandRetired": "2027-01-31T00:00:00Z", "info": "..."}`: what its list and its answers say of its end; null unsets, and a past time retires it |
/// | `POST /__control/keys` | `{"account": "account_1", "keys": ["..."]}`: its API keys from now on, two at most |
/// | `POST /__control/reset` | faults, records, totals, pacing and API keys as at the start; all listeners open |
/// | `GET /__control/requests?after=ID` | the records with a larger id, 1000 at most; with `&raw=true` each has `bodyBase64`, its body byte for byte |
/// | `GET /__control/stats` | in flight now and at the peak, totals, per account; ports |
final class ControlAPI: Sendable {
    static let prefix = "/__control/"

    struct Answer: Sendable {
        var status = 200
        var body: JSON
    }

    private let service: SimulatedService
    private let listeners: Listeners

    init(service: SimulatedService, listeners: Listeners) {
        self.service = service
        self.listeners = listeners
    }

    func answer(method: String, target: String, body: [UInt8], on loop: any EventLoop) -> EventLoopFuture<Answer> {
        let path = String(target.prefix { $0 != "?" }.dropFirst(Self.prefix.count))
        do {
            switch (method, path) {
            case ("POST", "listeners"): return try setListener(try parse(body)).hop(to: loop)
            case ("POST", "reset"):
                service.reset()
                let opened = EventLoopFuture.andAllSucceed(listeners.all.map { $0.open() }, on: loop)
                return opened.map { Answer(body: ["reset": true]) }
            default: return loop.makeSucceededFuture(try immediate(method, path, target, body))
            }
        } catch {
            return loop.makeSucceededFuture(Answer(status: 400, body: ["error": .string(error.message)]))
        }
    }

    private func immediate(
        _ method: String, _ path: String, _ target: String, _ body: [UInt8]
    ) throws(ControlError) -> Answer {
        switch (method, path) {
        case ("POST", "faults"):
            let json = try parse(body)
            let descriptions = json["faults"]?.array ?? json.array ?? [json]
            var faults: [Fault] = []
            for description in descriptions { faults.append(try Fault(description)) }
            for fault in faults { service.add(fault) }
            return Answer(body: ["added": .integer(faults.count)])
        case ("DELETE", "faults"):
            service.removeFaults()
            return Answer(body: ["removed": true])
        case ("POST", "pacing"):
            var pacing = service.pacing
            try pacing.change(try parse(body))
            service.pacing = pacing
            return Answer(body: ["changed": true])
        case ("POST", "tokens"):
            let json = try parse(body)
            if let lifetime = json["lifetime"]?.integer { service.credentials.issuer.lifetime = lifetime }
            if json["revoke"]?.bool == true { service.credentials.issuer.revokeAll() }
            return Answer(body: ["lifetime": .integer(service.credentials.issuer.lifetime)])
        case ("POST", "openai"):
            guard let listsModels = try parse(body)["listsModels"]?.bool else {
                throw ControlError("wanted: {\"listsModels\": false}")
            }
            service.listsOpenAIModels = listsModels
            return Answer(body: ["listsModels": .bool(listsModels)])
        case ("POST", "retirement"): return try retire(try parse(body))
        case ("POST", "keys"): return try setKeys(try parse(body))
        case ("GET", "requests"):
            let query = Query(target: target)
            let after = query.all("after").first.flatMap { Int($0) } ?? 0
            let isRaw = query.all("raw") == ["true"]
            let records = service.log.records.drop { $0.id <= after }.prefix(1000)
            let summaries = records.map { record -> JSON in
                var summary = record.summary
                if isRaw { summary["bodyBase64"] = .string(Data(record.body).base64EncodedString()) }
                return summary
            }
            return Answer(body: ["requests": .array(summaries)])
        case ("GET", "stats"): return Answer(body: statistics)
        default:
            return Answer(status: 404, body: ["error": .string("no control call \(method) \(Self.prefix)\(path)")])
        }
    }

    private func parse(_ body: [UInt8]) throws(ControlError) -> JSON {
        do {
            return try JSONParser.parse(body)
        } catch {
            throw ControlError("the body is no JSON: \(error.reason) at byte \(error.offset)")
        }
    }

    private func retire(_ json: JSON) throws(ControlError) -> Answer {
        var catalogue = service.catalogue
        guard let name = json["model"]?.string,
            let index = catalogue.models.firstIndex(where: { $0.name == name })
        else { throw ControlError("wanted: {\"model\": \"the name of a model\", ...}") }
        let now = Date(timeIntervalSince1970: service.configuration.now()).formatted(.iso8601)
        catalogue.models[index].timeOnDemandRetired = json["timeOnDemandRetired"]?.string
        catalogue.models[index].isRetired = json["timeOnDemandRetired"]?.string.map { $0 <= now } ?? false
        catalogue.models[index].retirementInfo = json["info"]?.string
        service.catalogue = catalogue
        return Answer(body: ["model": .string(name)])
    }

    private func setKeys(_ json: JSON) throws(ControlError) -> Answer {
        guard let account = json["account"]?.string, let list = json["keys"]?.array,
            case let keys = list.compactMap(\.string), keys.count == list.count
        else { throw ControlError("wanted: {\"account\": \"account_1\", \"keys\": [\"...\"]}") }
        do {
            try service.apiKeys.set(keys, of: account)
        } catch {
            throw ControlError(error.description)
        }
        return Answer(body: ["account": .string(account), "keys": .integer(keys.count)])
    }

    private func setListener(_ json: JSON) throws(ControlError) -> EventLoopFuture<Answer> {
        guard let account = json["account"]?.string, let open = json["open"]?.bool else {
            throw ControlError("wanted: {\"account\": \"account_1\", \"open\": false}")
        }
        guard let listener = listeners.listener(of: account) else {
            throw ControlError("'\(account)' has no port of its own; start with one port per account")
        }
        return (open ? listener.open() : listener.refuse()).map {
            Answer(body: ["account": .string(account), "open": .bool(open)])
        }
    }

    private var statistics: JSON {
        let statistics = service.log.statistics
        var accounts = JSONObject()
        for (id, counts) in statistics.accounts.sorted(by: { $0.key < $1.key }) { accounts[id] = counts.json }
        var ports = JSONObject()
        for (id, port) in listeners.ports.sorted(by: { $0.key < $1.key }) { ports[id] = .integer(port) }
        var answer = statistics.all.json
        answer["accounts"] = .object(accounts)
        answer["ports"] = .object(ports)
        return answer
    }
}

extension RequestLog.Counts {
    fileprivate var json: JSON {
        var statuses = JSONObject()
        for (status, count) in byStatus.sorted(by: { $0.key < $1.key }) { statuses[String(status)] = .integer(count) }
        return [
            "inFlight": .integer(inFlight), "peakInFlight": .integer(peakInFlight), "requests": .integer(requests),
            "byStatus": .object(statuses),
        ]
    }
}

extension Pacing {
    /// Takes over the members that are there.
    fileprivate mutating func change(_ json: JSON) throws(ControlError) {
        guard let object = json.object else { throw ControlError("pacing is a JSON object") }
        for member in object.members {
            switch (member.name, member.value) {
            case ("events", .integer(let count)) where (0...100_000).contains(count): events = count
            case ("events", .null): events = nil
            case ("text", .string(let value)): text = value
            case ("text", .null): text = nil
            case ("intervalMs", .integer(let value)) where value >= 0: interval = .milliseconds(value)
            case ("firstDelayMs", .integer(let value)) where value >= 0: firstDelay = .milliseconds(value)
            case ("separator", .string(let name)):
                guard let value = Separator(rawValue: name) else {
                    throw ControlError("'separator' is blankLine or singleNewline")
                }
                separator = value
            default:
                throw ControlError(
                    "unknown or wrong '\(member.name)'; known are events, text, intervalMs, firstDelayMs, separator")
            }
        }
    }
}
