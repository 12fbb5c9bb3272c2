/// Reads the variables of OpenTelemetry's specification. An empty one is an unset one; a faulty one counts as unset and is
/// told of.
package struct TelemetryEnvironment: Sendable {
    /// Those that are looked at.
    package static let variables: [String] =
        [
            "OTEL_SDK_DISABLED", "OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES", "OTEL_TRACES_EXPORTER",
            "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG", "OTEL_BSP_SCHEDULE_DELAY", "OTEL_BSP_EXPORT_TIMEOUT",
            "OTEL_BSP_MAX_QUEUE_SIZE", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
            "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_SEMCONV_STABILITY_OPT_IN",
        ]
        + ["OTEL_EXPORTER_OTLP_", "OTEL_EXPORTER_OTLP_TRACES_"].flatMap { beginning in
            [
                "ENDPOINT", "HEADERS", "TIMEOUT", "PROTOCOL", "COMPRESSION", "CERTIFICATE", "CLIENT_KEY",
                "CLIENT_CERTIFICATE",
            ].map { beginning + $0 }
        }

    /// Nil when telemetry is off: nobody turned it on, somebody turned it off, or a problem does.
    package private(set) var settings: TelemetrySettings?
    /// In the order of the specification. Without anything that turns telemetry on there are none.
    package private(set) var problems: [TelemetryProblem] = []

    /// On is what has an endpoint, or says `OTEL_TRACES_EXPORTER=otlp`; then the endpoint is `http://localhost:4318`.
    ///
    /// - Parameters:
    ///   - variables: the environment of the process.
    ///   - identity: of the service, where the environment does not say otherwise.
    package init(_ variables: [String: String], identity: TelemetryResource.Identity) {
        var reader = TelemetryReader(variables)
        settings = reader.settings(identity)
        problems = reader.problems
    }
}

/// Goes through the variables and notes what is wrong.
private struct TelemetryReader {
    private let variables: [String: String]
    private(set) var problems: [TelemetryProblem] = []

    init(_ variables: [String: String]) { self.variables = variables }

    mutating func settings(_ identity: TelemetryResource.Identity) -> TelemetrySettings? {
        let isAsked =
            value("OTEL_EXPORTER_OTLP_ENDPOINT") != nil || value("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != nil
            || value("OTEL_TRACES_EXPORTER") == "otlp"
        guard isAsked, !isDisabled(), exports() else { return nil }
        checkProtocol()
        let endpoint = endpoint()
        var settings = TelemetrySettings(endpoint: endpoint ?? "", resource: resource(identity))
        settings.headers = headers()
        settings.timeout =
            timeout(ofTraces("OTEL_EXPORTER_OTLP_", "TIMEOUT")) ?? settings.timeout
        checkCompression()
        checkCertificates()
        settings.sampler = sampler()
        settings.batching = batching()
        settings.valueLengthLimit = valueLengthLimit()
        settings.writesOldNames = !optIns().contains("gen_ai_latest_experimental")
        return problems.contains(where: \.turnsOff) ? nil : settings
    }

    // MARK: On or off

    private mutating func isDisabled() -> Bool {
        let name = "OTEL_SDK_DISABLED"
        guard let value = value(name) else { return false }
        switch value.lowercased() {
        case "true": return true
        case "false": return false
        default:
            note(name, value, "only 'true' turns telemetry off, so it stays on; write true or false")
            return false
        }
    }

    private mutating func exports() -> Bool {
        let name = "OTEL_TRACES_EXPORTER"
        guard let value = value(name) else { return true }
        // Several are allowed, with commas between.
        let known = value.split(separator: ",").map { PairList.trimmed($0) }
        if known.contains("otlp") {
            if known.contains(where: { $0 != "otlp" }) {
                note(name, value, "spans go to 'otlp' alone; leave the others away")
            }
            return true
        }
        if known == ["none"] { return false }
        note(
            name, value, "spans can be sent by 'otlp' only; write otlp, or none for no spans. None are sent",
            off: true)
        return false
    }

    private mutating func checkProtocol() {
        let name = ofTraces("OTEL_EXPORTER_OTLP_", "PROTOCOL")
        guard let value = value(name), value != "http/protobuf" else { return }
        note(
            name, value,
            "spans are sent by http/protobuf only; set \(name)=http/protobuf and an endpoint that takes OTLP over HTTP "
                + "(mostly port 4318, where gRPC has 4317). None are sent", off: true)
    }

    // MARK: Where to

    private mutating func endpoint() -> String? {
        var name = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
        if let value = value(name) { return address(name, value)?.text }
        name = "OTEL_EXPORTER_OTLP_ENDPOINT"
        guard let value = value(name) else { return "http://localhost:4318/v1/traces" }
        return address(name, value)?.appending("/v1/traces")
    }

    private mutating func address(_ name: String, _ value: String) -> CollectorAddress? {
        do throws(CollectorAddress.Fault) {
            let address = try CollectorAddress(value)
            if address.port == 4317 {
                note(
                    name, CollectorAddress.shown(value),
                    "4317 is mostly the port of gRPC, and spans are sent over HTTP, which has 4318; "
                        + "it is tried as it stands")
            }
            return address
        } catch {
            let wrong =
                switch error {
                case .scheme: "it does not begin with http:// or https://"
                case .host: "there is no host in it"
                case .port: "its port is not one of 1 to 65535"
                case .userInfo:
                    "there is a user in it; take it out, and set "
                        + "OTEL_EXPORTER_OTLP_HEADERS=authorization=Basic%20..."
                case .character: "there is a character in it that no address has"
                }
            note(
                name, CollectorAddress.shown(value),
                "\(wrong); expected an address as http://localhost:4318. No spans are sent", off: true)
            return nil
        }
    }

    private mutating func headers() -> [SecretHeader] {
        let name = ofTraces("OTEL_EXPORTER_OTLP_", "HEADERS")
        guard let value = value(name) else { return [] }
        let expected =
            "expected name=value,name=value with percent signs for what is special. No headers of it are sent"
        do throws(PairList.Fault) {
            var headers: [SecretHeader] = []
            for (index, pair) in try PairList.pairs(value).enumerated() {
                guard pair.key.utf8.allSatisfy({ Self.isToken($0) }) else {
                    note(name, nil, "the name of header \(index + 1) has a character that no name has; \(expected)")
                    return []
                }
                let header = pair.key.lowercased()
                guard !pair.value.utf8.contains(where: { ($0 < 0x20 && $0 != 0x09) || $0 == 0x7F }) else {
                    note(name, nil, "the value of \(header) has a line end or another control character; \(expected)")
                    return []
                }
                guard !Self.ownHeaders.contains(header) else {
                    note(name, nil, "\(header) is the exporter's own, and the entry is passed over; leave it away")
                    continue
                }
                headers.removeAll { $0.name == header }
                headers.append(SecretHeader(name: header, value: pair.value))
            }
            return headers
        } catch {
            note(name, nil, "\(error.text); \(expected)")
            return []
        }
    }

    private static let ownHeaders: Set<String> = [
        "connection", "content-encoding", "content-length", "content-type", "host", "transfer-encoding",
    ]

    /// `tchar` of HTTP.
    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    private mutating func checkCompression() {
        let name = ofTraces("OTEL_EXPORTER_OTLP_", "COMPRESSION")
        guard let value = value(name), value != "none" else { return }
        note(
            name, value,
            value == "gzip"
                ? "spans are not compressed, and are sent as they are; leave it away, or write none"
                : "it is not known, and spans are sent as they are; leave it away, or write none")
    }

    private mutating func checkCertificates() {
        for kind in ["CERTIFICATE", "CLIENT_KEY", "CLIENT_CERTIFICATE"] {
            let name = ofTraces("OTEL_EXPORTER_OTLP_", kind)
            guard let value = value(name) else { continue }
            note(
                name, value,
                kind == "CERTIFICATE"
                    ? "it is not read; add the authority to the system's, or send to a collector on this host over http"
                    : "certificates of clients are not sent; send to a collector on this host over http")
        }
    }

    // MARK: Who

    private mutating func resource(_ identity: TelemetryResource.Identity) -> TelemetryResource {
        let name = "OTEL_RESOURCE_ATTRIBUTES"
        var given: [SpanAttribute] = []
        if let service = value("OTEL_SERVICE_NAME") { given.append(SpanAttribute("service.name", .string(service))) }
        if let value = value(name) {
            do throws(PairList.Fault) {
                for (key, value) in try PairList.pairs(value) where !value.isEmpty {
                    given.append(SpanAttribute(key, .string(value)))
                }
            } catch {
                note(name, value, "\(error.text); expected key=value,key=value. None of it is taken")
            }
        }
        return TelemetryResource(identity, given: given)
    }

    // MARK: Which

    private mutating func sampler() -> Sampler {
        let name = "OTEL_TRACES_SAMPLER"
        guard let value = value(name) else { return .parentBasedAll }
        switch value {
        case "always_on": return Sampler(.all, parentDecides: false)
        case "always_off": return Sampler(.none, parentDecides: false)
        case "traceidratio": return Sampler(.ratio(ratio()), parentDecides: false)
        case "parentbased_always_on": return Sampler(.all, parentDecides: true)
        case "parentbased_always_off": return Sampler(.none, parentDecides: true)
        case "parentbased_traceidratio": return Sampler(.ratio(ratio()), parentDecides: true)
        default:
            note(
                name, value,
                "expected always_on, always_off, traceidratio, or one of them behind parentbased_; "
                    + "parentbased_always_on is taken")
            return .parentBasedAll
        }
    }

    private mutating func ratio() -> Double {
        let name = "OTEL_TRACES_SAMPLER_ARG"
        guard let value = value(name) else { return 1 }
        let isDecimal = value.utf8.allSatisfy { "0123456789.eE+-".utf8.contains($0) }
        guard isDecimal, let ratio = Double(value), ratio >= 0, ratio <= 1 else {
            note(name, value, "expected a share from 0 to 1 as 0.25; 1 is taken, which is all traces")
            return 1
        }
        return ratio
    }

    private mutating func optIns() -> [Substring] {
        value("OTEL_SEMCONV_STABILITY_OPT_IN")?.split(separator: ",").map { PairList.trimmed($0) } ?? []
    }

    // MARK: How many, how long

    private mutating func batching() -> SpanBatching {
        var batching = SpanBatching()
        batching.delay = milliseconds("OTEL_BSP_SCHEDULE_DELAY") ?? batching.delay
        batching.bound = timeout("OTEL_BSP_EXPORT_TIMEOUT") ?? batching.bound
        batching.capacity = number("OTEL_BSP_MAX_QUEUE_SIZE", from: 1) ?? batching.capacity
        let name = "OTEL_BSP_MAX_EXPORT_BATCH_SIZE"
        if let batch = number(name, from: 1) {
            if batch > batching.capacity {
                note(
                    name, "\(batch)",
                    "it is more than OTEL_BSP_MAX_QUEUE_SIZE, which is \(batching.capacity); write at most that. "
                        + "\(min(SpanBatching().batch, batching.capacity)) is taken")
            } else {
                batching.batch = batch
            }
        }
        batching.batch = min(batching.batch, batching.capacity)
        return batching
    }

    private mutating func valueLengthLimit() -> Int? {
        number("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", from: 0)
            ?? number("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", from: 0)
    }

    /// A timeout of 0 is none, which is so long that it makes no difference.
    private mutating func timeout(_ name: String) -> Duration? {
        milliseconds(name).map { $0 == .zero ? .milliseconds(Int32.max) : $0 }
    }

    private mutating func milliseconds(_ name: String) -> Duration? {
        number(name, from: 0, "milliseconds, ").map { .milliseconds($0) }
    }

    private mutating func number(_ name: String, from least: Int, _ unit: String = "") -> Int? {
        guard let value = value(name) else { return nil }
        guard value.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }), let number = Int(value),
            number >= least, number <= Int(Int32.max)
        else {
            note(name, value, "expected \(unit)a whole number from \(least) to \(Int32.max); the default is taken")
            return nil
        }
        return number
    }

    // MARK: Variables

    /// Without blanks around it; nil when nothing is left.
    private func value(_ name: String) -> String? {
        guard let value = variables[name] else { return nil }
        let trimmed = PairList.trimmed(value)
        return trimmed.isEmpty ? nil : String(trimmed)
    }

    /// The name of the variable for traces alone if it is set, else of the general one.
    private func ofTraces(_ prefix: String, _ name: String) -> String {
        value("\(prefix)TRACES_\(name)") != nil ? "\(prefix)TRACES_\(name)" : "\(prefix)\(name)"
    }

    private mutating func note(_ name: String, _ value: String?, _ text: String, off: Bool = false) {
        problems.append(TelemetryProblem(name: name, value: value, text: text, turnsOff: off))
    }
}
