import Testing

@testable import ProxyImport

@Suite struct LiteLLMModelsTests {
    private static let identity =
        "oci_region: us-chicago-1, oci_user: ocid1.user.oc1..u, oci_fingerprint: \"00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff\", oci_tenancy: ocid1.tenancy.oc1..t, oci_key_file: k.pem, oci_compartment_id: ocid1.compartment.oc1..c"

    private func models(_ entries: String..., more: String = "") throws -> ImportResult {
        try ImportFixture.litellm("model_list:\n" + entries.map { "  - \($0)\n" }.joined() + more)
    }

    private static func entry(_ name: String, _ parameters: String) -> String {
        "{model_name: \(name), litellm_params: {\(parameters)}}"
    }

    @Test func `One identity is one account, whatever its models`() throws {
        let result = try models(
            Self.entry("a", "model: oci/xai.grok-4, \(Self.identity)"),
            Self.entry("b", "model: oci/meta.llama-3.3-70b-instruct, \(Self.identity)"))
        #expect(result.section("ACCOUNT_1").contains("region = us-chicago-1"))
        #expect(result.section("ACCOUNT_2").isEmpty)
        #expect(result.section("MODELS") == ["a = xai.grok-4", "b = meta.llama-3.3-70b-instruct"])
    }

    @Test func `One name over two accounts is a pool`() throws {
        let result = try models(
            Self.entry("a", "model: oci/xai.grok-4, \(Self.identity)"),
            Self.entry("a", "model: oci/xai.grok-4, \(Self.identity.replacing("..u", with: "..v"))"))
        #expect(result.section("ACCOUNT_2").contains("user = ocid1.user.oc1..v"))
        #expect(result.section("MODELS") == ["a = xai.grok-4"])
        #expect(result.section("FALLBACKS").isEmpty)
    }

    @Test func `One name at two keys of a vendor is a pool`() throws {
        let result = try models(
            Self.entry("a", "model: openai/gpt-4o, api_key: os.environ/ONE"),
            Self.entry("a", "model: openai/gpt-4o, api_key: os.environ/TWO"))
        #expect(result.section("PROVIDER_1").contains("provider = openai"))
        #expect(result.section("PROVIDER_2").contains("provider = openai"))
        #expect(result.section("PROVIDER_2").contains("token = ${TWO}"))
        #expect(result.section("MODELS") == ["a = openai/gpt-4o"])
    }

    @Test func `Two names with keys of their own are no pool`() throws {
        let result = try models(
            Self.entry("a", "model: openai/gpt-4o, api_key: os.environ/ONE"),
            Self.entry("b", "model: openai/gpt-4o, api_key: os.environ/TWO"))
        #expect(result.section("PROVIDER_2").contains("provider = openai-2"))
        #expect(result.section("MODELS") == ["a = openai/gpt-4o", "b = openai-2/gpt-4o"])
    }

    @Test func `Different models of one name take over from each other`() throws {
        let result = try models(
            Self.entry("a", "model: groq/llama, order: 2"),
            Self.entry("a", "model: oci/xai.grok-4, order: 1, \(Self.identity)"))
        #expect(result.section("MODELS") == ["a = xai.grok-4"])
        #expect(result.section("FALLBACKS") == ["a = groq/llama"])
        #expect(result.fates("model_list[0].model_name") == [.changed])
        #expect(result.fates("model_list[0].litellm_params.order") == [.changed])
    }

    @Test(
        arguments: [
            ("openai/gpt-4o", "https://api.openai.com/v1", "openai/gpt-4o"),
            ("gpt-4o", "https://api.openai.com/v1", "openai/gpt-4o"),
            ("claude-sonnet-4-5", "https://api.anthropic.com/v1", "anthropic/claude-sonnet-4-5"),
            ("groq/llama-3.3-70b-versatile", "https://api.groq.com/openai/v1", "groq/llama-3.3-70b-versatile"),
            ("deepseek/deepseek-chat", "https://api.deepseek.com/v1", "deepseek/deepseek-chat"),
            ("openrouter/meta-llama/llama-3", "https://openrouter.ai/api/v1", "openrouter/meta-llama/llama-3"),
            (
                "gemini/gemini-2.5-pro", "https://generativelanguage.googleapis.com/v1beta/openai",
                "gemini/gemini-2.5-pro"
            ),
            ("ollama/llama3", "http://localhost:11434/v1", "ollama/llama3"),
            ("huggingface/together/org/model", "https://router.huggingface.co/v1", "huggingface/org/model:together"),
        ])
    func `Vendors are asked where their API is like OpenAI's`(model: String, base: String, target: String) throws {
        let result = try models(Self.entry("m", "model: \(model)"))
        #expect(result.section("PROVIDER_1").contains("baseurl = \(base)"))
        #expect(result.section("MODELS") == ["m = \(target)"])
    }

    @Test(arguments: [
        "bedrock/anthropic.claude-v2", "vertex_ai/gemini-pro", "sagemaker/x", "watsonx/ibm/granite", "replicate/meta/x",
        "somebody/x", "unknown-model", "os.environ/MODEL",
    ])
    func `Who cannot be asked is named with the reason`(model: String) throws {
        let result = try models(Self.entry("m", "model: \(model), api_key: sk-secret-of-mine"))
        #expect(result.configuration == nil)
        #expect(result.fates("model_list[0].litellm_params.model") == [.dropped])
        #expect(result.fates("model_list[0].model_name") == [.dropped])
        #expect(!result.text("model_list[0].litellm_params.model").isEmpty)
    }

    @Test(
        arguments: [
            ("azure/d", "https://n.openai.azure.com/", "https://n.openai.azure.com/openai/v1", KeyFate.changed),
            ("azure/d", "https://n.openai.azure.com/openai/v1/", "https://n.openai.azure.com/openai/v1", .taken),
            (
                "azure/d", "https://n.openai.azure.com/openai/deployments/d", "https://n.openai.azure.com/openai/v1",
                .changed
            ),
            ("ollama/m", "http://gpu:11434", "http://gpu:11434/v1", .changed),
            ("openai/m", "https://h.example/v1/chat/completions", "https://h.example/v1", .taken),
            ("anthropic/m", "https://api.anthropic.com", "https://api.anthropic.com/v1", .changed),
            ("openai/m", "os.environ/BASE", "${BASE}", .taken),
            ("azure/m", "os.environ/BASE", "${BASE}", .changed),
        ])
    func `Addresses get the path of the API`(model: String, base: String, written: String, fate: KeyFate) throws {
        let result = try models(Self.entry("m", "model: \(model), api_base: \"\(base)\", api_key: os.environ/K"))
        #expect(result.section("PROVIDER_1").contains("baseurl = \(written)"))
        #expect(result.fates("model_list[0].litellm_params.api_base") == [fate])
    }

    @Test(arguments: [
        "https://user:word@h.example/v1", "https://h.example/v1?key=word", "h.example/v1", "ftp://h.example", "[1, 2]",
        "{a: 1}",
    ])
    func `Addresses that the proxy does not take are dropped and not shown`(base: String) throws {
        let value = base.hasPrefix("[") || base.hasPrefix("{") ? base : "\"\(base)\""
        let result = try models(Self.entry("m", "model: openai/m, api_base: \(value)"))
        #expect(result.configuration == nil)
        #expect(result.fates("model_list[0].litellm_params.api_base") == [.dropped])
        #expect(!result.report.lines(SourceNames("f")).joined().contains("word"))
    }

    @Test func `A dedicated endpoint is what its name stands for`() throws {
        let endpoint = "ocid1.generativeaiendpoint.oc1.us-chicago-1.e"
        let result = try models(
            Self.entry(
                "mine",
                "model: oci/cohere.command-r, oci_serving_mode: DEDICATED, oci_endpoint_id: \(endpoint), \(Self.identity)"
            ))
        #expect(result.section("MODELS") == ["mine = \(endpoint)"])
    }

    @Test func `An identity that is not there becomes references`() throws {
        let result = try models(Self.entry("a", "model: oci/xai.grok-4"))
        #expect(
            result.section("ACCOUNT_1") == [
                "id = us-ashburn-1", "user = ${OCI_USER}", "fingerprint = ${OCI_FINGERPRINT}",
                "key_file = ${OCI_KEY_FILE}",
                "tenancy = ${OCI_TENANCY}", "region = us-ashburn-1", "compartment = ${OCI_COMPARTMENT_ID}",
            ])
        #expect(result.report.steps.contains { $0.contains("us-ashburn-1") })
    }

    @Test(arguments: [
        "oci_key: \"-----BEGIN PRIVATE KEY-----MIISECRET\"", "oci_key_file: \"-----BEGIN PRIVATE KEY-----MIISECRET\"",
    ])
    func `A key as text becomes a file that the operator writes`(key: String) throws {
        let result = try models(
            Self.entry("a", "model: oci/xai.grok-4, \(Self.identity.replacing("oci_key_file: k.pem", with: key))"))
        #expect(result.section("ACCOUNT_1").contains("key_file = oci_key_1.pem"))
        #expect(result.report.steps.contains { $0.contains("oci_key_1.pem") && $0.contains("line 2") })
        let text = result.report.lines(SourceNames("f")).joined() + (result.configuration ?? "")
        #expect(!text.contains("MIISECRET"))
    }

    @Test func `A server of one's own gets no key that is not said`() throws {
        let result = try models(Self.entry("a", "model: openai/m, api_base: http://h.example/v1"))
        #expect(!result.section("PROVIDER_1").contains { $0.hasPrefix("token") })
        #expect(result.report.steps.contains { $0.contains("h.example") && $0.contains("OPENAI_API_KEY") })
    }

    @Test func `A profile needs no identity`() throws {
        let result = try models(
            Self.entry("a", "model: oci/xai.grok-4, oci_config_profile: HOME, oci_region: us-chicago-1"))
        #expect(result.section("ACCOUNT_1") == ["id = us-chicago-1", "profile = HOME", "region = us-chicago-1"])
    }

    @Test func `Weights of accounts make the strategy weighted, those of providers wait`() throws {
        let result = try models(
            Self.entry("a", "model: oci/xai.grok-4, weight: 3, \(Self.identity)"),
            Self.entry("b", "model: groq/x, weight: 2"))
        #expect(result.section("ACCOUNT_1").contains("weight = 3"))
        #expect(result.section("GLOBAL").contains("load_balance_strategy = weighted"))
        let isThere = try #require(PendingSetting.ofProvider["weight"]).isSupported
        #expect(result.fates("model_list[1].litellm_params.weight") == [isThere ? .changed : .dropped])
    }

    @Test(arguments: ["none", "EMPTY", "\"\"", "not-needed"])
    func `A placeholder for a key sends none`(key: String) throws {
        let result = try models(Self.entry("m", "model: openai/m, api_base: http://localhost:1/v1, api_key: \(key)"))
        #expect(!result.section("PROVIDER_1").contains { $0.hasPrefix("token") })
    }

    @Test func `A literal key becomes a reference that says where it is`() throws {
        let result = try models(
            Self.entry("a", "model: groq/x, api_key: gsk-literal-one"),
            Self.entry("b", "model: groq/y, api_key: gsk-literal-two"),
            Self.entry("c", "model: groq/z, api_key: gsk-literal-one"))
        #expect(result.section("PROVIDER_1").contains("token = ${GROQ_API_KEY}"))
        #expect(result.section("PROVIDER_1").contains("model_list = x, z"))
        #expect(result.section("PROVIDER_2").contains("token = ${GROQ_API_KEY_2}"))
        #expect(result.report.steps.contains { $0.contains("GROQ_API_KEY_2") && $0.contains("line 3") })
    }

    @Test func `Patterns are the provider's models under its name`() throws {
        let result = try models(
            Self.entry("\"team/*\"", "model: \"openai/*\""), Self.entry("\"*\"", "model: groq/llama"),
            Self.entry("\"gpt-*\"", "model: \"mistral/*\""))
        #expect(result.section("PROVIDER_1").contains("provider = team"))
        #expect(!result.section("PROVIDER_1").contains { $0.hasPrefix("model_list") })
        #expect(result.section("MODELS") == ["* = groq/llama"])
        #expect(result.fates("model_list[0].model_name") == [.taken])
        #expect(result.fates("model_list[2].model_name") == [.changed])
    }

    @Test(arguments: ["\"a=b\"", "\"[x]\"", "\"#x\"", "\" x\""])
    func `A name that cannot be written is told with the one that works`(name: String) throws {
        let result = try models(Self.entry(name, "model: groq/llama"))
        if name == "\" x\"" {
            #expect(result.section("MODELS") == ["x = groq/llama"])
        } else {
            #expect(result.section("MODELS").isEmpty)
            #expect(result.text("model_list[0].model_name").contains("groq/llama"))
        }
    }

    @Test func `Names that differ in case alone are one too many`() throws {
        let result = try models(Self.entry("Fast", "model: groq/x"), Self.entry("fast", "model: groq/y"))
        #expect(result.section("MODELS") == ["Fast = groq/x"])
        #expect(result.fates("model_list[1].model_name") == [.dropped])
    }

    @Test(
        arguments: [
            ("input_cost_per_token: 0.000003, output_cost_per_token: 1.5e-05", ["m = 3 in 15 out per 1M tokens"]),
            ("input_cost_per_token: 0, output_cost_per_token: 0", ["m = free"]),
            ("input_cost_per_token: 1e-07", ["m = 0.1 in 0 out per 1M tokens"]),
            ("input_cost_per_token: -1, output_cost_per_token: 1e-06", []),
            ("input_cost_per_token: cheap", []), ("cache_read_input_token_cost: 1e-07", []),
        ])
    func `Prices by the token become prices by the million`(information: String, lines: [String]) throws {
        let result = try ImportFixture.litellm(
            "model_list:\n  - {model_name: m, litellm_params: {model: groq/x}, model_info: {\(information)}}\n")
        #expect(result.section("PRICES") == lines)
    }

    @Test func `Entries that are none are told with their lines`() throws {
        let result = try ImportFixture.litellm(
            "model_list:\n  - text\n  - {model_name: x}\n  - {litellm_params: {model: groq/x}}\n  - {model_name: m, litellm_params: {model: groq/m}}\n"
        )
        #expect(result.section("MODELS") == ["m = groq/m"])
        #expect(result.text("model_list").contains("line 2"))
        #expect(result.fates("model_list[1].model_name") == [.dropped])
        #expect(result.fates("model_list[2].litellm_params") == [.dropped])
    }
}
