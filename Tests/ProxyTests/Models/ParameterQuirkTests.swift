import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct ParameterQuirkTests {
    private func refusal(_ message: String, status: Int = 400) -> Failure {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("code")
        writer.string("400")
        writer.key("message")
        writer.string(message)
        writer.endObject()
        return OCIErrorReader.translate(status: status, retryAfter: nil, body: writer.bytes, account: "a")
    }

    @Test(
        arguments: [
            (
                "Invalid 'maxTokens': Unsupported parameter: 'maxTokens' is not supported with this model. Use 'maxCompletionTokens' instead.",
                .otherTokenLimit
            ),
            (
                "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.",
                .refuses(.temperature)
            ),
            ("Argument not supported on this model: stop", .refuses(.stop)),
            ("Argument not supported on this model: presencePenalty", .refuses(.penalties)),
            ("temperature must be between 0 and 2", nil),
            ("Incorrectly formatted request.", nil),
            ("Argument not supported on this model: tools", nil),
        ] as [(String, ParameterQuirk?)])
    func `A refusal by name is a lesson`(message: String, lesson: ParameterQuirk?) {
        #expect(refusal(message).lesson(for: .of("vendor.new")) == lesson)
    }

    @Test func `What is known is no lesson`() {
        let error = refusal("Argument not supported on this model: stop")
        #expect(error.lesson(for: .of("xai.grok-4")) == nil, "grok-4 gets none anyway")
        let quirks = ModelQuirks()
        let ignorant = quirks.family(of: "vendor.new")
        #expect(quirks.learn(from: error, of: "vendor.new", in: .generic, as: ignorant))
        #expect(
            !quirks.learn(from: error, of: "vendor.new", in: .generic, as: quirks.family(of: "vendor.new")),
            "it was left out already")
        #expect(
            quirks.family(of: "vendor.new").refuses.contains(.stop)
                && !quirks.family(of: "vendor.other").refuses.contains(.stop))
    }

    @Test func `The limit is renamed once and not back`() {
        let quirks = ModelQuirks()
        let old = refusal(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        )
        let new = refusal("Unsupported parameter: 'max_completion_tokens' is not supported with this model.")
        let candidates = [old, new].map {
            $0.param == nil ? Failure(.parameterRefused, $0.message, field: "max_tokens") : $0
        }
        #expect(quirks.learn(from: candidates[0], of: "vendor.new", in: .generic, as: quirks.family(of: "vendor.new")))
        #expect(quirks.family(of: "vendor.new").tokenLimit == .maxCompletionTokens)
        #expect(!quirks.learn(from: candidates[1], of: "vendor.new", in: .generic, as: quirks.family(of: "vendor.new")))
    }

    /// Both were written before either was refused.
    @Test(arguments: [
        "Argument not supported on this model: stop",
        "Invalid 'maxTokens': Unsupported parameter: 'maxTokens' is not supported with this model. Use 'maxCompletionTokens' instead.",
    ])
    func `Two requests that learn one thing at once both try again`(message: String) {
        let quirks = ModelQuirks()
        let ignorant = quirks.family(of: "vendor.new")
        #expect(quirks.learn(from: refusal(message), of: "vendor.new", in: .generic, as: ignorant))
        let learnt = quirks.family(of: "vendor.new")
        #expect(quirks.learn(from: refusal(message), of: "vendor.new", in: .generic, as: ignorant))
        #expect(quirks.family(of: "vendor.new").tokenLimit == learnt.tokenLimit, "renamed once")
        #expect(!quirks.learn(from: refusal(message), of: "vendor.new", in: .generic, as: learnt))
    }

    /// What stands behind a dedicated endpoint.
    @Test func `A format that is refused is followed by the next`() {
        let quirks = ModelQuirks()
        let endpoint = "ocid1.generativeaiendpoint.oc1..x"
        let error = refusal("Chat request type does not match serving model.")
        #expect(quirks.format(of: endpoint) == .generic)
        #expect(
            quirks.learn(from: error, of: endpoint, in: .generic, as: .of(endpoint))
                && quirks.format(of: endpoint) == .cohere)
        #expect(
            quirks.learn(from: error, of: endpoint, in: .generic, as: .of(endpoint))
                && quirks.format(of: endpoint) == .cohere, "two requests learn one thing")
        #expect(
            quirks.learn(from: error, of: endpoint, in: .cohere, as: .of(endpoint))
                && quirks.format(of: endpoint) == .cohereV2)
        #expect(
            !quirks.learn(from: error, of: endpoint, in: .cohereV2, as: .of(endpoint))
                && quirks.format(of: endpoint) == .generic, "and begins anew when none fits")
    }

    @Test func `An upstream's failure teaches nothing`() {
        #expect(
            refusal("Argument not supported on this model: stop", status: 500).lesson(for: .of("vendor.new")) == nil)
    }
}
