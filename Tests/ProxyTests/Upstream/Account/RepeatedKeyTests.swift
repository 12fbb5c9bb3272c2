import NIOCore
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// Services repeat the key that they refuse. Nobody else is to see it: not the client, not the log, not the statistics.
@Suite struct RepeatedKeyTests {
    private static let key = "sk-Z9yX8wV7uT6sR5qP"

    private func account(answering status: Int, _ body: String) throws -> OCIAccount {
        let time = ManualTime().source
        let plain = try OCIAccount.fixture(FakeTransport(status: 500, body: ""), time: time)
        return OCIAccount(
            id: "account_3", region: plain.region, compartment: plain.compartment, inference: plain.inference,
            management: plain.management,
            credentials: .bearer(Secret(Self.key)), transport: FakeTransport(status: status, body: body), time: time)
    }

    private static let answers = [
        #"{"error":{"message":"Incorrect API key provided: KEY. You can find yours in the console."}}"#,
        #"{"code":"NotAuthenticated","message":"Token 'Bearer KEY' is unknown"}"#, #"{"detail":"KEY KEY"}"#,
    ]

    @Test(arguments: [400, 401, 403, 404, 422, 429, 500, 503], answers)
    func `Is in no refusal`(status: Int, answer: String) async throws {
        let account = try account(answering: status, answer.replacing("KEY", with: Self.key))
        let refusal = await #expect(throws: Failure.self) {
            try await account.successful(try await account.listModels(limit: 1))
        }
        #expect(refusal?.message.contains(Self.key) == false)
        #expect(try await AccountProbe.run(account, limit: 1).error?.contains(Self.key) != true)
        do {
            _ = try await account.allModels()
        } catch let error as Failure {
            #expect(!error.message.contains(Self.key))
        }
    }

    @Test func `A masked key is not shown either`() async throws {
        let account = try account(
            answering: 401, #"{"error":{"message":"Incorrect API key provided: sk-Z9y********R5qP."}}"#)
        let refusal = await #expect(throws: Failure.self) {
            try await account.successful(try await account.listModels(limit: 1))
        }
        #expect(refusal?.message.contains("R5qP") == false && refusal?.message.contains("'account_3'") == true)
    }

    @Test func `Is in no error within a stream`() throws {
        let relay = PassThroughRelay(model: "m", upstream: "account_3")
        let failure = relay.take(
            ByteBuffer(string: #"data: {"error":{"message":"broken for Bearer \#(Self.key)","code":"x"}}"# + "\n\n"))
        let error = try #require(failure)
        #expect(error.message.contains(Self.key), "else nothing is shown here")
        #expect(try account(answering: 200, "").withoutKey(error).message == "broken for Bearer ***")
    }

    @Test func `What OCI says of itself stays`() {
        let body = #"{"code":"NotAuthenticated","message":"The user ocid1.user.oc1..aaaa1234 is not known."}"#
        let error = OCIErrorReader.translate(status: 401, retryAfter: nil, body: Array(body.utf8), account: "a")
        #expect(error.message.contains("ocid1.user.oc1..aaaa1234"))
    }
}
