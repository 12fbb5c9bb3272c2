import Foundation
import TestFixtures
import Testing

@testable import Proxy

/// One of the 26 requests that Oracle's own SDK signed.
struct SigningVector: Decodable, CustomTestStringConvertible {
    var name: String
    var keyFile: String
    var passphrase: String?
    var keyID: String
    var method: String
    var url: String
    var headersIn: [String: String]
    var body: String?
    var bodyBase64: String?
    var headersSigned: [String]
    var signingString: String
    var headersAdded: [String: String]
    var signature: String
    var authorization: String

    private enum CodingKeys: String, CodingKey {
        case name, passphrase, method, url, body, signature, authorization
        case keyFile = "key_file"
        case keyID = "key_id"
        case headersIn = "headers_in"
        case bodyBase64 = "body_base64"
        case headersSigned = "headers_signed"
        case signingString = "signing_string"
        case headersAdded = "headers_added"
    }

    var testDescription: String { name }

    var bytes: [UInt8]? {
        if let bodyBase64 { return Data(base64Encoded: bodyBase64).map { Array($0) } }
        return body.map { Array($0.utf8) }
    }

    /// Authority and target as they go over the wire.
    var parts: (authority: String, target: String) {
        let rest = url.dropFirst(url.hasPrefix("https://") ? 8 : 7)
        let slash = rest.firstIndex(where: { $0 == "/" || $0 == "?" }) ?? rest.endIndex
        return (String(rest[..<slash]), String(rest[slash...]))
    }

    var contentType: String { headersIn["content-type"] ?? "application/json" }

    func signer() throws -> RequestSigner {
        let pem = try Data(contentsOf: .fixture("oci/signing/\(keyFile)"))
        return RequestSigner(
            keyID: keyID, key: try PrivateKey(pem: Array(pem), passPhrase: passphrase.map { Secret($0) }))
    }

    static let all: [SigningVector] = {
        Fixtures.names(in: "oci/signing").filter { $0.first?.isNumber == true }.compactMap { file in
            guard let data = try? Data(contentsOf: Fixtures.url("oci/signing/\(file)")) else { return nil }
            return try? JSONDecoder().decode(SigningVector.self, from: data)
        }
    }()
}

@Suite struct RequestSignerTests {
    /// The moment of all vectors: Thu, 05 Jan 2034 21:31:40 GMT.
    private let date: Int64 = 2_020_109_500

    @Test func `All vectors are there`() {
        #expect(SigningVector.all.count == 26)
        #expect(Set(SigningVector.all.map(\.keyFile)).count == 8)
    }

    @Test(arguments: SigningVector.all)
    func `Signs as oracles SDK does`(vector: SigningVector) throws {
        let headers = try vector.signer().sign(
            method: vector.method, authority: vector.parts.authority, target: vector.parts.target, date: date,
            contentType: vector.contentType, body: vector.bytes)
        let signed = headers.dropLast()
        #expect(signed.map(\.name) == vector.headersSigned.filter { $0 != "(request-target)" })
        #expect(headers.last?.name == "authorization")
        #expect(headers.last?.value == vector.authorization)
        let sent = Dictionary(uniqueKeysWithValues: headers.map { ($0.name, $0.value) })
        for (name, value) in vector.headersAdded { #expect(sent[name] == value, "\(name)") }
        #expect(sent["date"] == vector.headersIn["date"])
    }

    @Test(arguments: SigningVector.all)
    func `Each step alone gives what the SDK gives`(vector: SigningVector) throws {
        #expect(RequestSigner.signedHeaders(method: vector.method) == vector.headersSigned)
        var given = vector.headersAdded
        given.merge(vector.headersIn) { added, _ in added }
        let headers = try vector.headersSigned.filter { $0 != "(request-target)" }.map {
            (name: $0, value: try #require(given[$0]))
        }
        let text = RequestSigner.signingString(method: vector.method, target: vector.parts.target, headers: headers)
        #expect(String(decoding: text, as: UTF8.self) == vector.signingString)
        let signature = Array(try #require(Data(base64Encoded: vector.signature)))
        #expect(try vector.signer().authorization(method: vector.method, signature: signature) == vector.authorization)
    }

    @Test(arguments: SigningVector.all)
    func `A body need not be in an array`(vector: SigningVector) throws {
        let body = vector.bytes ?? []
        let headers = try vector.signer().sign(
            method: vector.method, authority: vector.parts.authority, target: vector.parts.target, date: date,
            contentType: vector.contentType, body: body.span)
        #expect(headers.last?.value == vector.authorization)
    }

    @Test(arguments: SigningVector.all)
    func `Every part of a request is under the signature`(vector: SigningVector) throws {
        let signer = try vector.signer()
        let (authority, target) = vector.parts
        func authorization(
            method: String? = nil, authority: String = authority, target: String = target, seconds: Int64? = nil,
            type: String? = nil,
            body: [UInt8]? = vector.bytes
        ) throws -> String? {
            try signer.sign(
                method: method ?? vector.method, authority: authority, target: target, date: seconds ?? date,
                contentType: type ?? vector.contentType, body: body
            ).last?.value
        }
        var tampered = [
            try authorization(method: vector.method == "GET" ? "DELETE" : vector.method == "POST" ? "PUT" : "POST"),
            try authorization(authority: authority + ":1"), try authorization(target: target + "x"),
            try authorization(seconds: date + 1),
        ]
        if vector.headersSigned.count > 3 {
            tampered.append(try authorization(type: vector.contentType + "x"))
            tampered.append(try authorization(body: (vector.bytes ?? []) + [0]))
            if var body = vector.bytes, !body.isEmpty {
                body[body.count / 2] ^= 1
                tampered.append(try authorization(body: body))
            }
        }
        #expect(try authorization() == vector.authorization)
        #expect(!tampered.contains(vector.authorization))
        #expect(Set(tampered).count == tampered.count)
    }

    @Test func `Many tasks may sign at once`() async throws {
        let vectors = SigningVector.all
        let signers = try vectors.map { try $0.signer() }
        let date = date
        try await withThrowingTaskGroup(of: (Int, String?).self) { group in
            for turn in 0..<260 {
                let index = turn % vectors.count
                let vector = vectors[index]
                group.addTask {
                    let headers = try signers[index].sign(
                        method: vector.method, authority: vector.parts.authority, target: vector.parts.target,
                        date: date,
                        contentType: vector.contentType, body: vector.bytes)
                    return (index, headers.last?.value)
                }
            }
            for try await (index, value) in group { #expect(value == vectors[index].authorization) }
        }
    }

    @Test func `Many tasks may share one key`() async throws {
        let signer = try RequestSigner.fixture()
        let signatures = try await withThrowingTaskGroup(of: String?.self) { group in
            for _ in 0..<64 {
                group.addTask {
                    try signer.sign(method: "POST", authority: "h", target: "/", date: 1, body: [1, 2, 3]).last?.value
                }
            }
            return try await group.reduce(into: Set<String?>()) { $0.insert($1) }
        }
        #expect(signatures.count == 1 && !signatures.contains(nil))
    }

    @Test(arguments: [("", "/"), ("/", "/"), ("?a=1", "/?a=1"), ("/a?b=%2F+c", "/a?b=%2F+c"), ("/%2e", "/%2e")])
    func `The target is signed as sent`(target: String, signed: String) {
        let text = RequestSigner.signingString(method: "GET", target: target, headers: [("date", "d"), ("host", "h")])
        #expect(String(decoding: text, as: UTF8.self) == "date: d\n(request-target): get \(signed)\nhost: h")
    }

    @Test func `A session token loses the blanks of its file`() {
        #expect(RequestSigner.keyID(sessionToken: "\n a.b.c\r\n") == "ST$a.b.c")
        #expect(RequestSigner.keyID(sessionToken: " \n") == "ST$")
    }
}

extension RequestSigner {
    /// With the key of the fixtures.
    static func fixture() throws -> RequestSigner {
        let pem = try Data(contentsOf: .fixture("oci/signing/test_key.pem"))
        return RequestSigner(keyID: "t/u/f", key: try PrivateKey(pem: Array(pem), passPhrase: nil))
    }
}
