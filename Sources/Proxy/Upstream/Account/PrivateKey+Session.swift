import COpenSSL

extension PrivateKey {
    /// A fresh RSA-2048 key for one token. Takes 50 to 300 ms of CPU.
    static func session() throws(CredentialFailure) -> PrivateKey {
        ERR_clear_error()
        defer { ERR_clear_error() }
        let failure = CredentialFailure("OpenSSL could not make an RSA key", fix: "try again")
        guard let context = unsafe EVP_PKEY_CTX_new_from_name(nil, "RSA", nil) else { throw failure }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard unsafe EVP_PKEY_keygen_init(context) == 1, unsafe EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048) == 1,
            unsafe EVP_PKEY_generate(context, &key) == 1, let key = unsafe key
        else { throw failure }
        do {
            return unsafe try PrivateKey(owning: key)
        } catch {
            throw failure
        }
    }
}
