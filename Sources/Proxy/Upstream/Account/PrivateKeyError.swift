/// Why a text is no key that requests can be signed with, or a signature failed.
///
/// Two halves of a sentence each: what is wrong (after "the key file X cannot be used: "), and how to mend it. None of
/// them can hold a byte of the key or of its passphrase.
enum PrivateKeyError: Error, Equatable, CustomStringConvertible {
    case noPEM
    case publicKeyGiven
    case certificateGiven
    /// A PEM block of another sort; its label, as `PEMBlock` bounds it.
    case otherPEM(String)
    case openSSHFormat
    /// The algorithm, such as `EC` or `ED25519`.
    case notRSA(String)
    case encryptedWithoutPassPhrase
    case wrongPassPhrase
    /// DES, RC2 and the like, which OpenSSL 3 only reads with its legacy provider.
    case obsoleteEncryption
    /// There is a private key, but cut off, altered, or at odds with itself.
    case damaged
    /// Length of the modulus in bits: below 1024.
    case tooSmall(Int)
    /// MD5 is switched off, as in FIPS mode.
    case noFingerprint
    case signingFailed

    /// What is wrong.
    var reason: String {
        switch self {
        case .noPEM: "it contains no PEM text"
        case .publicKeyGiven: "it contains a public key"
        case .certificateGiven: "it contains a certificate"
        case .otherPEM(let label): "it contains a PEM block \(label), which is not a private key"
        case .openSSHFormat: "it contains a private key in OpenSSH format"
        case .notRSA(let kind): "it contains a private key of type \(kind), but OCI requires RSA"
        case .encryptedWithoutPassPhrase: "it is encrypted, but no passphrase is set"
        case .wrongPassPhrase: "its passphrase is wrong"
        case .obsoleteEncryption: "it is encrypted with an obsolete algorithm that OpenSSL 3 does not read"
        case .damaged: "its private key is truncated or damaged"
        case .tooSmall(let bits): "it contains an RSA key of only \(bits) bits"
        case .noFingerprint: "its fingerprint cannot be computed because OpenSSL refuses MD5"
        case .signingFailed: "OpenSSL could not create the signature"
        }
    }

    /// How to mend it, as an imperative.
    var fix: String {
        switch self {
        case .noPEM:
            "use the private key file of the API key (it contains a line -----BEGIN PRIVATE KEY----- or -----BEGIN RSA PRIVATE KEY-----)"
        case .publicKeyGiven, .certificateGiven, .otherPEM: "set key_file to the matching private key file"
        case .openSSHFormat: "convert a copy of it with 'ssh-keygen -p -m PEM -f COPY'"
        case .notRSA: "create an RSA key with 'openssl genrsa -out key.pem 2048' and upload its public key to the user"
        case .encryptedWithoutPassPhrase: "set pass_phrase"
        case .wrongPassPhrase: "correct pass_phrase"
        case .obsoleteEncryption:
            "encrypt it again with 'openssl pkcs8 -topk8 -provider legacy -provider default -in OLD -out NEW'"
        case .damaged: "copy the file again"
        case .tooSmall:
            "create a 2048-bit key with 'openssl genrsa -out key.pem 2048' and upload its public key to the user"
        case .noFingerprint: "enable OpenSSL's default provider in addition to FIPS"
        case .signingFailed: "restart the proxy, and check the key file if it happens again"
        }
    }

    var description: String { "\(reason); \(fix)" }
}
