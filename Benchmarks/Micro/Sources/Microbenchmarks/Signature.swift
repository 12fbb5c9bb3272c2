@testable import Proxy

extension Benchmark {
    /// A call's headers with a signature over them, of which RSA takes nearly all.
    static func signature(key pem: [UInt8]) throws -> [Benchmark] {
        let signer = RequestSigner(
            keyID: RequestSigner.keyID(
                tenancy: "ocid1.tenancy.oc1..bench", user: "ocid1.user.oc1..bench", fingerprint: "00:11:22:33"),
            key: try PrivateKey(pem: pem, passPhrase: nil))
        let body = [UInt8](repeating: UInt8(ascii: "a"), count: 1024)
        return [
            Benchmark("signature, body of 1 KB", count: 64) {
                for second in 1...$0 {
                    keep(
                        try signer.sign(
                            method: "POST", authority: "inference.generativeai.us-chicago-1.oci.oraclecloud.com",
                            target: "/20231130/actions/chat", date: 1_760_000_000 + Int64(second), body: body))
                }
            }
        ]
    }
}
