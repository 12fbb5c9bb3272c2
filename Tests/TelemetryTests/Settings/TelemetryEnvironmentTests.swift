import Testing

@testable import ProxyTelemetry

@Suite struct TelemetryEnvironmentTests {
    private static let on = "OTEL_EXPORTER_OTLP_ENDPOINT"

    private static func read(_ variables: [String: String]) -> TelemetryEnvironment {
        TelemetryEnvironment(variables, identity: Samples.identity)
    }

    /// With telemetry turned on.
    private static func readOn(_ variables: [String: String]) -> TelemetryEnvironment {
        read(variables.merging([on: "http://collector:4318"]) { given, _ in given })
    }

    @Test func `The defaults are the specification's`() throws {
        let environment = Self.readOn([:])
        let settings = try #require(environment.settings)
        #expect(environment.problems.isEmpty)
        #expect(settings.endpoint == "http://collector:4318/v1/traces")
        #expect(settings.headers.isEmpty && settings.timeout == .seconds(10))
        #expect(settings.sampler == Sampler(.all, parentDecides: true))
        #expect(settings.batching.delay == .seconds(5) && settings.batching.capacity == 2048)
        #expect(settings.batching.batch == 512 && settings.batching.bound == .seconds(30))
        #expect(settings.valueLengthLimit == nil && settings.writesOldNames)
    }

    @Test(
        arguments: [
            [:], ["OTEL_EXPORTER_OTLP_ENDPOINT": ""], ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": " "],
            ["OTEL_SERVICE_NAME": "x", "OTEL_TRACES_SAMPLER": "nonsense", "OTEL_BSP_SCHEDULE_DELAY": "x"],
            ["OTEL_TRACES_EXPORTER": "none"],
            ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_TRACES_EXPORTER": "none"],
            ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_SDK_DISABLED": "True"],
            ["OTEL_EXPORTER_OTLP_ENDPOINT": "nonsense", "OTEL_SDK_DISABLED": "true"],
        ]
    )
    func `Off is quiet`(variables: [String: String]) {
        let environment = Self.read(variables)
        #expect(environment.settings == nil && environment.problems.isEmpty)
    }

    @Test(
        arguments: [
            (["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"], "http://c:4318/v1/traces"),
            (["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318/"], "http://c:4318/v1/traces"),
            (
                ["OTEL_EXPORTER_OTLP_ENDPOINT": "HTTPS://api.example.com/otlp//"],
                "https://api.example.com/otlp/v1/traces"
            ),
            (["OTEL_EXPORTER_OTLP_ENDPOINT": "https://c/otlp?team=a#x"], "https://c/otlp/v1/traces?team=a"),
            (["OTEL_EXPORTER_OTLP_ENDPOINT": " http://[::1]:4318 "], "http://[::1]:4318/v1/traces"),
            (["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318"], "http://c:4318"),
            (["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/"], "http://c:4318/"),
            (
                [
                    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://c/in?k=v",
                    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://other:1",
                ], "https://c/in?k=v"
            ),
            (["OTEL_TRACES_EXPORTER": "otlp"], "http://localhost:4318/v1/traces"),
        ]
    )
    func `The endpoint of traces is taken as it is, and the general one gets a path`(
        variables: [String: String], endpoint: String
    ) {
        let environment = Self.read(variables)
        #expect(environment.settings?.endpoint == endpoint && environment.problems.isEmpty)
    }

    @Test(
        arguments: [
            "collector:4318", "ftp://c", "http:/c", "://c", "http://", "http://:4318", "http:///v1/traces",
            "http://c:0", "http://c:65536", "http://c:x", "http://c:", "http://[::1", "http://[]", "http://c d",
            "http://c/\u{7F}", "http://é", "https://user:secret-word@c",
            "https://secret-word@c:4318/v1/traces?k=secret-word",
            "https://c:bad?key=secret-word",
        ]
    )
    func `An endpoint that is none turns it off, and says so without secrets`(endpoint: String) throws {
        for name in ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] {
            let environment = Self.read([name: endpoint])
            #expect(environment.settings == nil)
            let problem = try #require(environment.problems.first)
            #expect(environment.problems.count == 1 && problem.turnsOff && problem.name == name)
            #expect(!problem.description.contains("secret-word"))
            #expect(problem.description.hasPrefix("\(name)='"))
        }
    }

    @Test func `What is shown of an endpoint has no query`() {
        let settings = Self.read(["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://c/in?key=secret"]).settings
        #expect(settings?.shownEndpoint == "https://c/in")
    }

    @Test func `The port of gRPC is noticed`() throws {
        let environment = Self.read(["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4317"])
        #expect(environment.settings?.endpoint == "http://c:4317/v1/traces")
        #expect(environment.problems.map(\.turnsOff) == [false])
        #expect(try #require(environment.problems.first).text.contains("4318"))
    }

    @Test(arguments: ["grpc", "http/json", "HTTP/PROTOBUF", "x"])
    func `Another protocol turns it off, and says what to set`(value: String) throws {
        for name in ["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] {
            let environment = Self.readOn([name: value])
            #expect(environment.settings == nil)
            let problem = try #require(environment.problems.first)
            #expect(problem.turnsOff && problem.name == name && problem.value == value)
            #expect(problem.text.contains("\(name)=http/protobuf"))
        }
    }

    @Test func `The protocol of traces wins over the general one`() {
        let environment = Self.readOn([
            "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
        ])
        #expect(environment.settings != nil && environment.problems.isEmpty)
    }

    @Test(
        arguments: [
            ("api-key=abc", [SecretHeader(name: "api-key", value: "abc")]),
            (
                "Authorization=Basic%20dXNlcjpwYXNz%3D, x-team = a+b ,,",
                [
                    SecretHeader(name: "authorization", value: "Basic dXNlcjpwYXNz="),
                    SecretHeader(name: "x-team", value: "a+b"),
                ]
            ),
            ("authorization=Bearer a=b==", [SecretHeader(name: "authorization", value: "Bearer a=b==")]),
            ("a=1,A=2", [SecretHeader(name: "a", value: "2")]), ("a=%C3%A9", [SecretHeader(name: "a", value: "é")]),
            ("a=", [SecretHeader(name: "a", value: "")]), ("", []),
        ]
    )
    func `Headers are pairs with percent signs`(value: String, headers: [SecretHeader]) {
        let environment = Self.readOn(["OTEL_EXPORTER_OTLP_HEADERS": value])
        #expect(environment.settings?.headers == headers && environment.problems.isEmpty)
    }

    @Test(
        arguments: [
            "secret-word", "a=1,secret-word", "=secret-word", "a=secret-word%", "a=secret-word%4", "a=secret-word%zz",
            "a=secret-word%FF", "a=secret-word%0D%0Ax: y", "secret word=x", "secret-word:x=1", "a=secret-word\u{1}",
        ]
    )
    func `A faulty header is told of without what it says, and spans are still sent`(value: String) throws {
        let environment = Self.readOn(["OTEL_EXPORTER_OTLP_TRACES_HEADERS": value])
        #expect(environment.settings?.headers == [])
        let problem = try #require(environment.problems.first)
        #expect(environment.problems.count == 1 && !problem.turnsOff && problem.value == nil)
        #expect(!problem.description.contains("secret"))
    }

    @Test func `Headers of traces stand in place of the general ones, and the exporter's own are passed over`() {
        let environment = Self.readOn([
            "OTEL_EXPORTER_OTLP_HEADERS": "a=1", "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "Content-Type=text/plain,b=2",
        ])
        #expect(environment.settings?.headers == [SecretHeader(name: "b", value: "2")])
        #expect(environment.problems.count == 1)
    }

    @Test func `A header's value never shows when it is printed`() throws {
        let settings = try #require(Self.readOn(["OTEL_EXPORTER_OTLP_HEADERS": "k=secret-word"]).settings)
        var dumped = ""
        dump(settings, to: &dumped)
        for text in ["\(settings)", String(reflecting: settings), dumped] { #expect(!text.contains("secret-word")) }
    }

    @Test(
        arguments: [
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "2500", Duration.milliseconds(2_500)),
            ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "1", .milliseconds(1)),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "0", .milliseconds(Int32.max)),
        ]
    )
    func `A timeout is in milliseconds, and 0 is none`(name: String, value: String, timeout: Duration) {
        let environment = Self.readOn([name: value])
        #expect(environment.settings?.timeout == timeout && environment.problems.isEmpty)
    }

    @Test(
        arguments: [
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"), ("OTEL_EXPORTER_OTLP_TIMEOUT", "-1"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "2147483648"), ("OTEL_EXPORTER_OTLP_TIMEOUT", "+5"),
            ("OTEL_BSP_SCHEDULE_DELAY", "5.0"), ("OTEL_BSP_EXPORT_TIMEOUT", "x"), ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "0"), ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4096"),
            ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "-1"), ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "many"),
            ("OTEL_TRACES_SAMPLER", "jaeger_remote"), ("OTEL_TRACES_SAMPLER", "ALWAYS_ON"),
            ("OTEL_SDK_DISABLED", "1"), ("OTEL_SDK_DISABLED", "yes"), ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
            ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "zstd"), ("OTEL_RESOURCE_ATTRIBUTES", "a"),
            ("OTEL_RESOURCE_ATTRIBUTES", "a=1,b=%4"), ("OTEL_TRACES_EXPORTER", "otlp,console"),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/etc/ca.pem"),
        ]
    )
    func `What cannot be is told of, and counts as unset`(name: String, value: String) throws {
        let environment = Self.readOn([name: value])
        #expect(environment.settings == Self.readOn([:]).settings)
        let problem = try #require(environment.problems.first)
        #expect(environment.problems.count == 1 && problem.name == name && problem.value == value)
        #expect(!problem.turnsOff)
        #expect(problem.description == "\(name)='\(value)': \(problem.text)")
    }

    @Test(arguments: ["zipkin", "console", "otlp/stdout"])
    func `Another exporter turns it off`(value: String) {
        let environment = Self.readOn(["OTEL_TRACES_EXPORTER": value])
        #expect(environment.settings == nil && environment.problems.map(\.turnsOff) == [true])
    }

    @Test func `Every problem is told of at once`() {
        let environment = Self.readOn([
            "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_TIMEOUT": "x", "OTEL_TRACES_SAMPLER": "x",
            "OTEL_BSP_MAX_QUEUE_SIZE": "x",
        ])
        #expect(environment.problems.count == 4 && environment.settings == nil)
    }

    @Test func `What a problem shows is short and fit to be printed`() throws {
        let value = "a\u{1B}[31m\n" + String(repeating: "x", count: 1_000)
        let problem = try #require(Self.readOn(["OTEL_TRACES_SAMPLER": value]).problems.first)
        #expect(problem.value?.hasPrefix("a?[31m?xx") == true && problem.value?.utf8.count == 100)
    }

    @Test(
        arguments: [
            ("always_on", nil, Sampler(.all, parentDecides: false)),
            ("always_off", nil, Sampler(.none, parentDecides: false)),
            ("traceidratio", "0.25", Sampler(.ratio(0.25), parentDecides: false)),
            ("traceidratio", nil, Sampler(.ratio(1), parentDecides: false)),
            ("parentbased_always_on", "0.25", Sampler(.all, parentDecides: true)),
            ("parentbased_always_off", nil, Sampler(.none, parentDecides: true)),
            ("parentbased_traceidratio", "1e-3", Sampler(.ratio(0.001), parentDecides: true)),
            ("parentbased_traceidratio", "0", Sampler(.ratio(0), parentDecides: true)),
            (nil, "nonsense", Sampler(.all, parentDecides: true)),
        ] as [(String?, String?, Sampler)]
    )
    func `Samplers are the specification's`(name: String?, argument: String?, sampler: Sampler) {
        var variables: [String: String] = [:]
        variables["OTEL_TRACES_SAMPLER"] = name
        variables["OTEL_TRACES_SAMPLER_ARG"] = argument
        let environment = Self.readOn(variables)
        #expect(environment.settings?.sampler == sampler && environment.problems.isEmpty)
    }

    @Test(arguments: ["1.01", "-0.1", "nan", "inf", "0x1p-2", "25%", "a"])
    func `A ratio that is none is all of them`(argument: String) {
        let environment = Self.readOn([
            "OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": argument,
        ])
        #expect(environment.settings?.sampler == Sampler(.ratio(1), parentDecides: true))
        #expect(environment.problems.map(\.name) == ["OTEL_TRACES_SAMPLER_ARG"])
    }

    @Test func `Batches are set, and never larger than the queue`() throws {
        var batching = try #require(
            Self.readOn([
                "OTEL_BSP_SCHEDULE_DELAY": "100", "OTEL_BSP_EXPORT_TIMEOUT": "0", "OTEL_BSP_MAX_QUEUE_SIZE": "64",
                "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "16",
            ]).settings
        ).batching
        #expect(batching.delay == .milliseconds(100) && batching.bound == .milliseconds(Int32.max))
        #expect(batching.capacity == 64 && batching.batch == 16)
        batching = try #require(Self.readOn(["OTEL_BSP_MAX_QUEUE_SIZE": "64"]).settings).batching
        #expect(batching.capacity == 64 && batching.batch == 64)
    }

    @Test(
        arguments: [
            (nil, true), ("", true), ("http,database/dup", true), ("gen_ai_latest_experimental", false),
            ("http/dup, gen_ai_latest_experimental", false), ("gen_ai", true),
        ] as [(String?, Bool)]
    )
    func `Old names are left away by the opt-in`(value: String?, writesOldNames: Bool) {
        var variables: [String: String] = [:]
        variables["OTEL_SEMCONV_STABILITY_OPT_IN"] = value
        let environment = Self.readOn(variables)
        #expect(environment.settings?.writesOldNames == writesOldNames && environment.problems.isEmpty)
    }

    @Test func `A limit of spans wins over the general one`() {
        let limit = { (variables: [String: String]) in Self.readOn(variables).settings?.valueLengthLimit }
        #expect(limit(["OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "40"]) == 40)
        #expect(
            limit(["OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "40", "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT": "50"]) == 50)
    }

    @Test func `The environment says who the service is`() throws {
        let settings = try #require(
            Self.readOn([
                "OTEL_SERVICE_NAME": "gate",
                "OTEL_RESOURCE_ATTRIBUTES":
                    "service.name=other,deployment.environment.name=prod%2Ceu, service.version=9,"
                    + "telemetry.sdk.name=mine,empty=",
            ]).settings)
        let attributes = Dictionary(
            uniqueKeysWithValues: settings.resource.attributes.map { ($0.key, $0.value) })
        #expect(
            attributes == [
                "service.name": .string("gate"), "service.version": .string("9"),
                "service.instance.id": .string("here-1"), "deployment.environment.name": .string("prod,eu"),
                "telemetry.sdk.language": .string("swift"), "telemetry.sdk.name": .string("ociai-proxy"),
                "telemetry.sdk.version": .string("1.2.3"),
            ])
        #expect(settings.resource.scopeName == "ociai-proxy" && settings.resource.scopeVersion == "1.2.3")
    }

    @Test func `No environment crashes it`() {
        let names = [
            "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS",
            "OTEL_RESOURCE_ATTRIBUTES", "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG", "OTEL_BSP_MAX_QUEUE_SIZE",
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_SEMCONV_STABILITY_OPT_IN",
        ]
        let pieces = [
            "http", "://", "c", ":", "4318", "/", "=", ",", "%", "41", "é", " ", "[", "]", "@", "?", "#", "-", "0",
        ]
        var dice = Dice(31)
        for _ in 0..<3_000 {
            var variables: [String: String] = [:]
            for name in names where Bool.random(using: &dice) {
                variables[name] = (0..<Int.random(in: 0...6, using: &dice)).map { _ in
                    pieces.randomElement(using: &dice)!
                }.joined()
            }
            let environment = Self.read(variables)
            if let batching = environment.settings?.batching { #expect(batching.batch <= batching.capacity) }
            #expect(environment.settings == nil || !environment.problems.contains(where: \.turnsOff))
        }
    }
}
