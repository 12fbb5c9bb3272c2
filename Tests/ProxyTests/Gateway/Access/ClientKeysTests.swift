import NIOHTTP1
import Testing

@testable import Proxy

@Suite struct ClientKeysTests {
    private let keys = ClientKeys([
        ClientKey(name: "default", value: Secret("0123456789abcdef0123456789abcdef")),
        ClientKey(name: "alice", value: Secret("sk-alice")),
    ])

    @Test(arguments: [
        ("authorization", "Bearer sk-alice"), ("Authorization", "bearer sk-alice"),
        ("authorization", "BEARER   sk-alice  "),
        ("x-api-key", "sk-alice"), ("api-key", " sk-alice "),
    ])
    func `A key is known by its name`(header: String, value: String) {
        #expect(keys.verdict(on: [header: value]) == .holder("alice"))
    }

    @Test(arguments: [
        ("authorization", "Bearer sk-alicf"), ("authorization", "Bearer sk-alic"),
        ("authorization", "Bearer sk-alicee"), ("x-api-key", "SK-ALICE"),
    ])
    func `A near miss is wrong`(header: String, value: String) {
        #expect(keys.verdict(on: [header: value]) == .wrong)
    }

    @Test func `Nothing is nothing`() {
        #expect(keys.verdict(on: [:]) == .none)
        #expect(keys.verdict(on: ["authorization": "Bearer "]) == .none)
        #expect(keys.verdict(on: ["authorization": "Basic c2stYWxpY2U="]) == .none)
        #expect(keys.verdict(on: ["x-api-key": ""]) == .none)
    }

    @Test func `A second header may hold the right key`() {
        #expect(keys.verdict(on: ["authorization": "Bearer dummy", "x-api-key": "sk-alice"]) == .holder("alice"))
    }
}
