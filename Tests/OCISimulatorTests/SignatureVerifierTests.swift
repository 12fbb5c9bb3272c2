import Foundation
import TestFixtures
import Testing

@testable import OCISimulator

@Suite struct SignatureVerifierTests {
    static let vectors = Fixtures.names(in: "oci/signing").filter { $0.first?.isNumber == true }

    /// The account of `identity.json`.
    private func fixtureAccount() throws -> SimulatedAccount {
        let identity = try Fixtures.json("oci/signing/identity.json")
        return try SimulatedAccount(
            id: "fixture", tenancy: #require(identity["tenancy"]?.string), user: #require(identity["user"]?.string),
            region: "us-chicago-1", publicKeyPEM: Fixtures.text("oci/signing/test_public.pem"))
    }

    @Test func `There are vectors`() { #expect(Self.vectors.count == 26) }

    @Test func `Fingerprint is that of the identity`() throws {
        let identity = try Fixtures.json("oci/signing/identity.json")
        #expect(try fixtureAccount().fingerprint == identity["fingerprint"]?.string)
    }

    @Test(arguments: vectors) func `Signature of the SDK is accepted`(name: String) throws {
        let vector = try Fixtures.json("oci/signing/" + name)
        let request = try self.request(of: vector)
        let verifier = SignatureVerifier([try fixtureAccount()])
        let header = try AuthorizationHeader(#require(vector["authorization"]?.string))
        #expect(
            try verifier.signingString(of: request, signed: header.signedHeaders) == vector["signing_string"]?.string)
        let date = try #require(vector["headers_in"]?["date"]?.string.flatMap(HTTPDate.parse))
        if vector["signer"]?.string == "session_token" {
            // The simulator takes the tokens only that it has issued.
            #expect(throws: SignatureRefusal.unknownKey(header.keyID)) { try verifier.verify(request, now: date) }
        } else {
            #expect(try verifier.verify(request, now: date).id == "fixture")
        }
    }

    private func request(of vector: JSON) throws -> SignedRequest {
        let url = try #require(vector["url"]?.string)
        let afterScheme = try #require(url.range(of: "://")).upperBound
        let rest = url[afterScheme...]
        let target = rest.firstIndex { $0 == "/" || $0 == "?" }.map { String(rest[$0...]) } ?? "/"
        var headers: [(name: String, value: String)] = [
            (name: "Authorization", value: try #require(vector["authorization"]?.string))
        ]
        for source in ["headers_in", "headers_added"] {
            for member in vector[source]?.object?.members ?? [] {
                guard let value = member.value.string, !headers.contains(where: { $0.name == member.name }) else {
                    continue
                }
                headers.append((name: member.name, value: value))
            }
        }
        var body: [UInt8] = []
        if let text = vector["body"]?.string { body = Array(text.utf8) }
        if let text = vector["body_base64"]?.string { body = Array(try #require(Data(base64Encoded: text))) }
        return SignedRequest(
            method: try #require(vector["method"]?.string), target: target, headers: headers, body: body)
    }

    // MARK: Refusals

    private static let now = 2_000_000_000

    private func signer(date: Int = now) throws -> (TestSigner, SignatureVerifier) {
        let account = try SimulatedAccount.generate(1)[0]
        var signer = try TestSigner(account)
        signer.date = date
        return (signer, SignatureVerifier([account]))
    }

    private func reason(_ request: SignedRequest, _ verifier: SignatureVerifier) -> SignatureRefusal? {
        do {
            _ = try verifier.verify(request, now: Self.now)
            return nil
        } catch { return error }
    }

    @Test(arguments: TestSigner.postHeaders) func `Missing mandatory header is refused`(name: String) throws {
        let (signer, verifier) = try signer()
        let names = TestSigner.postHeaders.filter { $0 != name }
        let request = try signer.request("POST", "/x", body: Array("{}".utf8), signing: names)
        #expect(reason(request, verifier) == .headerNotSigned(name))
    }

    @Test(arguments: TestSigner.getHeaders) func `Missing mandatory header of get is refused`(name: String) throws {
        let (signer, verifier) = try signer()
        let request = try signer.request("GET", "/x", signing: TestSigner.getHeaders.filter { $0 != name })
        #expect(reason(request, verifier) == .headerNotSigned(name))
    }

    @Test func `Order of signed headers is free`() throws {
        let (signer, verifier) = try signer()
        let request = try signer.request("POST", "/x", body: [], signing: TestSigner.postHeaders.reversed())
        #expect(reason(request, verifier) == nil)
    }

    @Test func `Changed body is refused`() throws {
        let (signer, verifier) = try signer()
        var request = try signer.request("POST", "/x", body: Array("{\"a\":1}".utf8))
        request.body = Array("{\"a\":2}".utf8)
        #expect(reason(request, verifier) == .wrongDigest)
        request.body = Array("{}".utf8)
        #expect(reason(request, verifier) == .wrongLength)
    }

    @Test(arguments: ["date", "host", "content-type", "content-length", "x-content-sha256"])
    func `Changed header is refused`(name: String) throws {
        let (signer, verifier) = try signer()
        var request = try signer.request("POST", "/x", body: Array("{}".utf8))
        let index = try #require(request.headers.firstIndex { $0.name == name })
        request.headers[index].value = name == "date" ? HTTPDate.format(Self.now + 1) : "other"
        let refusal = try #require(reason(request, verifier))
        switch name {
        case "content-length": #expect(refusal == .wrongLength)
        case "x-content-sha256": #expect(refusal == .wrongDigest)
        default: #expect("\(refusal)".hasPrefix("the signature does not fit"))
        }
    }

    @Test func `Changed target and method are refused`() throws {
        let (signer, verifier) = try signer()
        var request = try signer.request("GET", "/x?a=1")
        request.target = "/x?a=2"
        #expect("\(try #require(reason(request, verifier)))".hasPrefix("the signature does not fit"))
        request.target = "/x?a=1"
        request.method = "DELETE"
        #expect("\(try #require(reason(request, verifier)))".hasPrefix("the signature does not fit"))
    }

    @Test func `Repeated signed header is refused`() throws {
        let (signer, verifier) = try signer()
        var request = try signer.request("GET", "/x")
        request.headers.append((name: "Host", value: "elsewhere"))
        #expect(reason(request, verifier) == .headerRepeated("host"))
    }

    @Test(arguments: [(-301, false), (-300, true), (0, true), (300, true), (301, false)])
    func `Date may differ by five minutes`(skew: Int, isAccepted: Bool) throws {
        let (signer, verifier) = try signer(date: Self.now + skew)
        let refusal = reason(try signer.request("GET", "/x"), verifier)
        #expect(refusal == (isAccepted ? nil : .clockSkew(seconds: skew)))
    }

    @Test func `Key of another account is refused`() throws {
        let accounts = try SimulatedAccount.generate(2)
        var forger = try TestSigner(accounts[1])
        forger.date = Self.now
        var request = try forger.request("GET", "/x")
        let index = try #require(request.headers.firstIndex { $0.name == "authorization" })
        request.headers[index].value = request.headers[index].value.replacingOccurrences(
            of: accounts[1].keyID, with: accounts[0].keyID)
        let verifier = SignatureVerifier(accounts)
        #expect("\(try #require(reason(request, verifier)))".hasPrefix("the signature does not fit"))
        #expect(reason(request, SignatureVerifier([accounts[1]])) == .unknownKey(accounts[0].keyID))
    }

    @Test func `Request without authorization is refused`() throws {
        let (_, verifier) = try signer()
        let request = SignedRequest(method: "GET", target: "/", headers: [], body: [])
        #expect(reason(request, verifier) == .noAuthorization)
    }

    @Test(arguments: [
        "Bearer x",
        "Signature version=\"2\",keyId=\"a\",algorithm=\"rsa-sha256\",headers=\"date\",signature=\"\"",
        "Signature version=\"1\",keyId=\"a\",algorithm=\"rsa-sha1\",headers=\"date\",signature=\"\"",
        "Signature keyId=\"a\",algorithm=\"rsa-sha256\",headers=\"date\",signature=\"\"",
        "Signature version=\"1\",version=\"1\",keyId=\"a\",algorithm=\"rsa-sha256\",headers=\"date\",signature=\"\"",
        "Signature version=\"1\", keyId=\"a\",algorithm=\"rsa-sha256\",headers=\"date\",signature=\"\"",
        "Signature version=1,keyId=\"a\",algorithm=\"rsa-sha256\",headers=\"date\",signature=\"\"",
        "Signature version=\"1\",keyId=\"a\",algorithm=\"rsa-sha256\",headers=\"Date\",signature=\"\"",
        "Signature version=\"1\",keyId=\"a\",algorithm=\"rsa-sha256\",headers=\"date date\",signature=\"\"",
        "Signature version=\"1\",keyId=\"a\",algorithm=\"rsa-sha256\",headers=\"date\",signature=\"",
        "Signature version=\"1\",keyId=\"a\",algorithm=\"rsa-sha256\",headers=\"date\",signature=\"\",",
        "Signature ",
    ])
    func `Malformed authorization is refused`(text: String) {
        #expect(throws: SignatureRefusal.self) { try AuthorizationHeader(text) }
    }

    @Test func `Parameters may stand in any order`() throws {
        let header = try AuthorizationHeader(
            "Signature version=\"1\",keyId=\"a/b/c\",signature=\"eA==\",headers=\"date host\",algorithm=\"rsa-sha256\"")
        #expect(header.keyID == "a/b/c")
        #expect(header.signedHeaders == ["date", "host"])
        #expect(header.signature == "eA==")
    }

    @Test(arguments: [
        ("Thu, 05 Jan 2034 21:31:40 GMT", 2_020_109_500), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Tue, 29 Feb 2000 23:59:59 GMT", 951_868_799),
    ])
    func `Date is read and written`(text: String, seconds: Int) {
        #expect(HTTPDate.parse(text) == seconds)
        #expect(HTTPDate.format(seconds) == text)
    }

    @Test(arguments: [
        "Fri, 05 Jan 2034 21:31:40 GMT", "Thu, 5 Jan 2034 21:31:40 GMT", "Wed, 30 Feb 2000 00:00:00 GMT",
        "Thu, 05 Jan 2034 21:31:40", "2034-01-05T21:31:40Z", "Thu, 05 Jan 2034 25:31:40 GMT", "",
    ])
    func `Other dates are refused`(text: String) { #expect(HTTPDate.parse(text) == nil) }
}
