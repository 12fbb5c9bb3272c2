import Testing

@testable import Proxy
@testable import ProxyRouting

/// What the list of models says besides names.
@Suite struct ModelListTests {
    private static let item = #"""
        {"id":"vendor/m","object":"model","created":7,"owned_by":"vendor","name":"M","context_length":131072,"context_window":131072,"max_model_len":131072,"max_output_tokens":8192,
         "capabilities":["chat"],"architecture":{"input_modalities":["text"]},"top_provider":{"max_completion_tokens":8192},"pricing":{"prompt":"0.1"},"description":"long","max_tokens":null}
        """#

    @Test func `A provider's limits are kept`() throws {
        let models = try #require(ModelSummary.providerList(Array(#"{"data":[\#(Self.item),{"id":"bare"}]}"#.utf8)))
        let details = try #require(String(validating: models[0].details, as: UTF8.self))
        for member in [
            #","name":"M""#, #","context_length":131072"#, #","context_window":131072"#, #","max_model_len":131072"#,
            #","max_output_tokens":8192"#, #","capabilities":["chat"]"#,
            #","architecture":{"input_modalities":["text"]}"#, #","top_provider":{"max_completion_tokens":8192}"#,
        ] {
            #expect(details.contains(member))
        }
        for name in ["pricing", "description", "\"max_tokens\"", "owned_by", "\"id\""] {
            #expect(!details.contains(name))
        }
        #expect(models[1].details.isEmpty)
    }

    /// As the lists of other vendors and servers have it.
    @Test(arguments: [
        // vLLM, and SGLang (sgl-project/sglang#4809, can1357/oh-my-pi#939)
        (
            #"{"id":"m","root":"/models/m","parent":null,"max_model_len":8192,"permission":[{"id":"p"}]}"#,
            #","max_model_len":8192"#
        ),
        // Groq
        (
            #"{"id":"m","active":true,"context_window":131072,"public_apps":null,"max_completion_tokens":32768}"#,
            #","context_window":131072,"max_completion_tokens":32768,"active":true"#
        ),
        // Mistral
        (
            #"{"id":"m","capabilities":{"vision":true},"description":"d","max_context_length":32768,"aliases":["n"]}"#,
            #","max_context_length":32768,"capabilities":{"vision":true}"#
        ),
        // LM Studio (lmstudio-ai/lmstudio-bug-tracker#2139)
        (
            #"{"id":"m","type":"llm","publisher":"p","max_context_length":131072,"loaded_context_length":4096}"#,
            #","type":"llm","max_context_length":131072,"loaded_context_length":4096"#
        ),
        // llama.cpp
        (#"{"id":"m","meta":{"n_ctx_train":4096,"n_params":7}}"#, #","meta":{"n_ctx_train":4096,"n_params":7}"#),
        // Moonshot
        (
            #"{"id":"m","context_length":262144,"supports_image_in":true,"supports_reasoning":false}"#,
            #","context_length":262144,"supports_reasoning":false,"supports_image_in":true"#
        ),
    ])
    func `Other lists keep their limits`(item: String, details: String) throws {
        for list in [#"{"object":"list","data":[\#(item)]}"#, "[\(item)]"] {
            let models = try #require(ModelSummary.providerList(Array(list.utf8)))
            #expect(String(decoding: models[0].details, as: UTF8.self) == details)
        }
    }

    /// As the list says, where that is a name; else it is the provider's.
    @Test(arguments: [
        (#","owned_by":"vendor""#, "vendor"), ("", "acme"), (#","owned_by":null"#, "acme"),
        (#","owned_by":"""#, "acme"), (#","owned_by":7"#, "acme"),
        (#","owned_by":"\#(String(repeating: "x", count: 200))""#, "acme"),
    ])
    func `An owner is kept as it came`(member: String, owner: String) throws {
        let models = try #require(ModelSummary.providerList(Array(#"{"data":[{"id":"m"\#(member)}]}"#.utf8)))
        let catalog = ModelCatalog(
            aliases: [(name: "mine", target: "acme/m")],
            accounts: [.init(models: models, form: .openAI, provider: "acme")])
        for name in ["mine", "acme/m"] { #expect(catalog[name]?.owner == owner) }
        #expect(catalog.entries.map(\.owner) == [owner, owner])
    }

    @Test func `What is long is left out`() throws {
        let models = try #require(
            ModelSummary.providerList(
                Array(
                    #"{"data":[{"id":"m","name":"\#(String(repeating: "x", count: 5000))","context_length":5}]}"#.utf8))
        )
        #expect(models[0].details == Array(#","context_length":5"#.utf8))
    }

    @Test func `The catalogue keeps them`() throws {
        var model = ModelSummary(ofProvider: "m", created: 7)
        model.details = Array(#","context_length":5"#.utf8)
        let catalog = ModelCatalog(
            aliases: [(name: "mine", target: "acme/m")],
            accounts: [.init(models: [model], form: .openAI, provider: "acme")])
        for name in ["mine", "acme/m"] { #expect(catalog[name]?.details == model.details) }
    }

    @Test(
        arguments: [
            ("xai.grok-4", 131_072, 131_072), ("xai.grok-4-1-fast-reasoning", 2_000_000, nil),
            ("google.gemini-2.5-pro", 1_048_576, 65_536), ("meta.llama-3.3-70b-instruct", 128_000, 4_000),
            ("cohere.command-a-03-2025", 256_000, 4_000), ("openai.gpt-oss-120b", 131_072, 131_072),
            ("cohere.embed-v4.0", 128_000, nil), ("vendor.new", nil, nil),
        ] as [(String, Int?, Int?)])
    func `Limits of OCI are from a table`(model: String, context: Int?, output: Int?) {
        #expect(ModelLimits.of(model)?.context == context && ModelLimits.of(model)?.output == output)
    }

    private static func listed(_ id: String, _ purpose: ModelSummary.Purpose) -> ModelSummary {
        ModelSummary(
            displayName: id, ocid: "ocid1.generativeaimodel.\(id)", vendor: nil, capabilities: [purpose.rawValue],
            isActive: true, isBase: true, created: 5, retired: nil)
    }

    @Test func `Embedding and rerank models are listed for what they are`() {
        let catalog = ModelCatalog(
            aliases: [],
            accounts: [
                .init(models: [
                    Self.listed("xai.grok-4", .chat), Self.listed("cohere.embed-v4.0", .embeddings),
                    Self.listed("cohere.rerank-v3.5", .rerank),
                ])
            ])
        #expect(catalog.entries.map(\.name) == ["grok-4"])
        #expect(catalog.otherEntries.map(\.name) == ["embed-v4.0", "rerank-v3.5"])
        #expect(catalog.otherEntries.map(\.purposes) == [[.embeddings], [.rerank]])
        #expect(catalog["embed-v4.0"]?.created == 5)
    }

    @Test func `What OpenAI's form does not serve is not offered`() {
        let bearer = ModelCatalog.Account(models: nil, form: .openAIOnOCI)
        for (id, isServed) in [
            ("google.gemini-2.5-pro", false), ("cohere.command-a-03-2025", false), ("ocid1.generativeaimodel.x", false),
            ("xai.grok-4", true), ("meta.llama-3.3-70b-instruct", true),
        ] {
            #expect(bearer.canName(id) == isServed)
        }
    }

    // MARK: Tools that are allowed

    private func chat(_ choice: String) throws -> ChatRequest {
        try ChatRequest.parse(
            Array(
                #"{"model":"m","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}}],"tool_choice":\#(choice)}"#
                    .utf8))
    }

    @Test(
        arguments: [
            (
                #"{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"g"}}]}}"#,
                ["g"], ChatRequest.ToolChoice.auto
            ),
            (
                #"{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}}]}}"#,
                ["f", "g"], .required
            ),
            (#"{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"f"}]}"#, ["f"], .required),
            (#"{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[]}}"#, [], nil),
        ] as [(String, [String], ChatRequest.ToolChoice?)])
    func `Allowed tools are a mode and a list`(choice: String, names: [String], mode: ChatRequest.ToolChoice?) throws {
        let chat = try chat(choice)
        #expect(chat.tools.map(\.name) == names && chat.toolChoice == mode)
    }

    @Test(arguments: [
        #"{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"h"}}]}}"#,
        #"{"type":"allowed_tools","allowed_tools":{"mode":"auto"}}"#,
        #"{"type":"allowed_tools","allowed_tools":{"mode":"odd","tools":[{"type":"function","function":{"name":"f"}}]}}"#,
    ])
    func `Odd lists are refused`(choice: String) { #expect(throws: Failure.self) { try chat(choice) } }
}
