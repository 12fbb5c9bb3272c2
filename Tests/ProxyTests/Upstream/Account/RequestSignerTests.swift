import Foundation
import Testing

@testable import Proxy

/// One of the 26 requests that Oracle's own SDK signed.
struct SigningVector: Decodable, CustomTestStringConvertible {
    var name: String
    var key_file: String
    var passphrase: String?
    var key_id: String
    var method: String
    var url: String
    var headers_in: [String: String]
    var body: String?
    var body_base64: String?
    var headers_signed: [String]
    var signing_string: String
    var headers_added: [String: String]
    var authorization: String

    var testDescription: String { name }

    var bytes: [UInt8]? {
        if let body_base64 { return Data(base64Encoded: body_base64).map { Array($0) } }
        return body.map { Array($0.utf8) }
    }

    /// Authority and target as they go over the wire.
    var parts: (authority: String, target: String) {
        let rest = url.dropFirst(url.hasPrefix("https://") ? 8 : 7)
        let slash = rest.firstIndex(where: { $0 == "/" || $0 == "?" }) ?? rest.endIndex
        return (String(rest[..<slash]), String(rest[slash...]))
    }

    static let all: [SigningVector] = {
        let folder = Bundle.module.resourceURL?.appending(path: "Fixtures/oci/signing")
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder?.path ?? "")) ?? []
        return files.filter { $0.first?.isNumber == true }.sorted().compactMap { file in
            guard let data = folder.flatMap({ try? Data(contentsOf: $0.appending(path: file)) }) else { return nil }
            return try? JSONDecoder().decode(SigningVector.self, from: data)
        }
    }()
}

@Suite struct RequestSignerTests {
    /// The moment of all vectors: Thu, 05 Jan 2034 21:31:40 GMT.
    private let date: Int64 = 2_020_109_500

    @Test func allVectorsAreThere() {
        #expect(SigningVector.all.count == 26)
    }

    @Test(arguments: SigningVector.all)
    func signsAsOraclesSDKDoes(vector: SigningVector) throws {
        let pem = try Data(contentsOf: .fixture("oci/signing/\(vector.key_file)"))
        let key = try PrivateKey(pem: Array(pem), passPhrase: vector.passphrase.map { Secret($0) })
        let signer = RequestSigner(keyID: vector.key_id, key: key)
        let headers = try signer.sign(
            method: vector.method, authority: vector.parts.authority, target: vector.parts.target, date: date,
            contentType: vector.headers_in["content-type"] ?? "application/json", body: vector.bytes)
        let sent = Dictionary(headers.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
        #expect(sent["authorization"] == vector.authorization)
        for (name, value) in vector.headers_added { #expect(sent[name] == value, "\(name)") }
        let signed = headers.filter { $0.name != "authorization" }
        let text = RequestSigner.signingString(method: vector.method, target: vector.parts.target, headers: signed)
        #expect(String(decoding: text, as: UTF8.self) == vector.signing_string)
    }

    @Test func everyPartOfARequestIsUnderTheSignature() throws {
        let signer = try RequestSigner.fixture()
        func signature(
            method: String = "POST", authority: String = "h", target: String = "/p?q=1", date: Int64 = 1, type: String = "application/json",
            body: [UInt8] = [1]
        ) throws -> String? {
            try signer.sign(method: method, authority: authority, target: target, date: date, contentType: type, body: body).last?.value
        }
        let reference = try signature()
        #expect(try signature() == reference)
        #expect(try signature(method: "PUT") != reference)
        #expect(try signature(authority: "h:1") != reference)
        #expect(try signature(target: "/p?q=2") != reference)
        #expect(try signature(date: 2) != reference)
        #expect(try signature(type: "text/plain") != reference)
        #expect(try signature(body: [2]) != reference)
    }

    @Test func manyTasksMaySignAtOnce() async throws {
        let signer = try RequestSigner.fixture()
        let signatures = try await withThrowingTaskGroup(of: String?.self) { group in
            for _ in 0..<64 {
                group.addTask { try signer.sign(method: "POST", authority: "h", target: "/", date: 1, body: [1, 2, 3]).last?.value }
            }
            return try await group.reduce(into: Set<String?>()) { $0.insert($1) }
        }
        #expect(signatures.count == 1)
    }
}

extension RequestSigner {
    /// With the key of the fixtures.
    static func fixture() throws -> RequestSigner {
        let pem = try Data(contentsOf: .fixture("oci/signing/test_key.pem"))
        return RequestSigner(keyID: "t/u/f", key: try PrivateKey(pem: Array(pem), passPhrase: nil))
    }
}
