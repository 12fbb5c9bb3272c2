import NIOHTTP1
import Testing

@testable import Proxy

@Suite struct ClientKeysTests {
    private let keys = ClientKeys([
        ClientKey(name: "default", value: Secret("0123456789abcdef0123456789abcdef")),
        ClientKey(name: "alice", value: Secret("sk-alice")),
    ])

    /// In one word.
    private func verdict(on headers: HTTPHeaders) -> String {
        switch keys.verdict(on: headers) {
        case .none: "none"
        case .wrong: "wrong"
        case .holder(let caller): caller.name
        }
    }

    @Test(arguments: [
        ("authorization", "Bearer sk-alice"), ("Authorization", "bearer sk-alice"),
        ("authorization", "BEARER   sk-alice  "),
        ("x-api-key", "sk-alice"), ("api-key", " sk-alice "),
    ])
    func `A key is known by its name`(header: String, value: String) {
        #expect(verdict(on: [header: value]) == "alice")
    }

    @Test(arguments: [
        ("authorization", "Bearer sk-alicf"), ("authorization", "Bearer sk-alic"),
        ("authorization", "Bearer sk-alicee"), ("x-api-key", "SK-ALICE"),
    ])
    func `A near miss is wrong`(header: String, value: String) {
        #expect(verdict(on: [header: value]) == "wrong")
    }

    @Test func `Nothing is nothing`() {
        #expect(verdict(on: [:]) == "none")
        #expect(verdict(on: ["authorization": "Bearer "]) == "none")
        #expect(verdict(on: ["authorization": "Basic c2stYWxpY2U="]) == "none")
        #expect(verdict(on: ["x-api-key": ""]) == "none")
    }

    @Test func `A second header may hold the right key`() {
        #expect(verdict(on: ["authorization": "Bearer dummy", "x-api-key": "sk-alice"]) == "alice")
    }
}
