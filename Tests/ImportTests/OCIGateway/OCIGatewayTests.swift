import Testing

@testable import ProxyImport

@Suite struct OCIGatewayTests {
    private static let models = """
        - region: us-chicago-1
          compartment_id: ocid1.compartment.oc1..c
          models:
            ondemand:
              - {name: fast, model_id: xai.grok-3-fast, tool_call: true}
        - region: eu-frankfurt-1
          compartment_id: ocid1.compartment.oc1..c
          models:
            ondemand:
              - {name: fast, model_id: xai.grok-3-fast}
        """

    @Test func `Each region and compartment is an account`() throws {
        let result = try ImportFixture.gateway(Self.models)
        #expect(
            result.section("ACCOUNT_2") == [
                "id = eu-frankfurt-1", "profile = DEFAULT", "region = eu-frankfurt-1",
                "compartment = ocid1.compartment.oc1..c",
            ])
        #expect(result.section("MODELS") == ["fast = xai.grok-3-fast"])
        #expect(result.fates("[0].models.ondemand[0].tool_call") == [.dropped])
    }

    @Test(
        arguments: [
            ("AUTH_TYPE = \"INSTANCE_PRINCIPAL\"", "auth = instance_principal"),
            ("AUTH_TYPE='RESOURCE_PRINCIPAL'", "auth = resource_principal"),
            ("export OCI_CONFIG_FILE_KEY=WORK # mine", "profile = WORK"),
            ("AUTH_TYPE = \"API_KEY\"\nOCI_CONFIG_FILE_KEY = \"WORK\"", "profile = WORK"),
            (
                "INFERENCE_ENDPOINT_TEMPLATE = \"https://genai.{region}.example/20231130\"",
                "endpoint = https://genai.us-chicago-1.example"
            ),
        ])
    func `Settings say how accounts sign`(settings: String, line: String) throws {
        #expect(try ImportFixture.gateway(Self.models, settings: settings).section("ACCOUNT_1").contains(line))
    }

    @Test func `Keys of the settings become references`() throws {
        let result = try ImportFixture.gateway(
            Self.models, settings: "PORT = 8088\nDEFAULT_API_KEYS = \"a-key-of-mine\"\n")
        #expect(result.section("").contains("api_key = ${DEFAULT_API_KEYS}"))
        #expect(result.section("GLOBAL") == ["port = 8088"])
        #expect(result.report.steps.contains { $0.contains("line 2 of the settings") })
    }

    @Test func `Settings alone are enough for the easy mode`() throws {
        let result = try ImportFixture.gateway(
            nil, settings: "OCI_REGION=us-chicago-1\nOCI_COMPARTMENT=ocid1.compartment.oc1..c\n")
        #expect(result.section("ACCOUNT_1").contains("region = us-chicago-1"))
    }

    @Test(arguments: [
        "- text\n", "- {region: us-chicago-1}\n", "- {region: [1], compartment_id: c}\n",
        "- {region: us-chicago-1, compartment_id: c, models: {datascience: [{name: x, endpoint: 'https://h/predict'}]}}\n",
    ])
    func `What is no account leaves nothing to write`(models: String) throws {
        #expect(try ImportFixture.gateway(models).configuration == nil)
    }

    @Test(arguments: [("model_list: []\n", "litellm"), ("a: 1\n", "models.yaml"), ("text\n", "models.yaml")])
    func `Another file is told as such`(text: String, hint: String) throws {
        let failure = try #require(throws: ImportFailure.self) { _ = try ImportFixture.gateway(text) }
        #expect(failure.fix.contains(hint))
    }

    @Test func `A failure in the settings names them`() throws {
        let failure = try #require(throws: ImportFailure.self) {
            _ = try ConfigurationImport.read(.ociGateway, file: Array(Self.models.utf8), settings: [0x41, 0x0A, 0xFF])
        }
        #expect(failure.text(SourceNames("models.yaml", settings: "config.py")).hasPrefix("config.py:2: "))
    }
}
