import COpenSSL
import Foundation
import Testing

@testable import OCISimulator

/// Signs requests as OCI wire notes 1 say; written apart from both the simulator's verifier and the proxy's signer.
struct TestSigner {
    let keyID: String
    let privateKeyPEM: String
    /// Seconds since 1970.
    var date = Int(Date().timeIntervalSince1970)

    init(_ account: SimulatedAccount) throws {
        keyID = account.keyID
        privateKeyPEM = try #require(account.privateKeyPEM)
    }

    init(keyID: String, privateKeyPEM: String, date: Int) {
        self.keyID = keyID
        self.privateKeyPEM = privateKeyPEM
        self.date = date
    }

    static let getHeaders = ["date", "(request-target)", "host"]
    static let postHeaders = getHeaders + ["content-length", "content-type", "x-content-sha256"]

    /// A signed request with all the headers that it needs.
    func request(
        _ method: String, _ target: String, host: String = "127.0.0.1:9000", body: [UInt8]? = nil,
        signing names: [String]? = nil
    ) throws -> SignedRequest {
        var headers = [(name: "date", value: HTTPDate.format(date)), (name: "host", value: host)]
        if let body {
            headers.append((name: "content-length", value: String(body.count)))
            headers.append((name: "content-type", value: "application/json"))
            headers.append(
                (name: "x-content-sha256", value: Data(Digest.sha256(body)).base64EncodedString()))
        }
        let names = names ?? (body == nil ? Self.getHeaders : Self.postHeaders)
        let lines = names.map { name in
            name == "(request-target)"
                ? "\(name): \(method.lowercased()) \(target)"
                : "\(name): \(headers.first { $0.name == name }?.value ?? "")"
        }
        let signature = try sign(lines.joined(separator: "\n"))
        headers.append(
            (
                name: "authorization",
                value: "Signature algorithm=\"rsa-sha256\",headers=\"\(names.joined(separator: " "))\","
                    + "keyId=\"\(keyID)\",signature=\"\(signature)\",version=\"1\""
            ))
        return SignedRequest(method: method, target: target, headers: headers, body: body ?? [])
    }

    func sign(_ text: String) throws -> String {
        let pem = Array(privateKeyPEM.utf8)
        // The BIO does not copy the bytes, so it must not outlive the closure.
        let loaded = pem.withUnsafeBytes { buffer -> OpaquePointer? in
            let bio = BIO_new_mem_buf(buffer.baseAddress, Int32(buffer.count))
            defer { BIO_free(bio) }
            return PEM_read_bio_PrivateKey(bio, nil, nil, nil)
        }
        let key = try #require(loaded)
        defer { EVP_PKEY_free(key) }
        let context = try #require(EVP_MD_CTX_new())
        defer { EVP_MD_CTX_free(context) }
        try #require(EVP_DigestSignInit(context, nil, EVP_sha256(), nil, key) == 1)
        let message = Array(text.utf8)
        var length = 0
        try #require(EVP_DigestSign(context, nil, &length, message, message.count) == 1)
        var signature = [UInt8](repeating: 0, count: length)
        try #require(EVP_DigestSign(context, &signature, &length, message, message.count) == 1)
        return Data(signature.prefix(length)).base64EncodedString()
    }
}
