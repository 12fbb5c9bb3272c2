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
        case .noPEM: "it holds no PEM text"
        case .publicKeyGiven: "it holds a public key"
        case .certificateGiven: "it holds a certificate"
        case .otherPEM(let label): "it holds a PEM block named \(label), which is no private key"
        case .openSSHFormat: "it holds a private key in the format of OpenSSH"
        case .notRSA(let kind): "it holds a private key of the kind \(kind), and OCI signs with RSA only"
        case .encryptedWithoutPassPhrase: "it is encrypted and no passphrase is given"
        case .wrongPassPhrase: "its passphrase is wrong"
        case .obsoleteEncryption: "it is encrypted in an obsolete way that OpenSSL 3 does not read"
        case .damaged: "it holds a private key that cannot be read, being cut off or altered"
        case .tooSmall(let bits): "it holds an RSA key of only \(bits) bits"
        case .noFingerprint: "its fingerprint cannot be computed, since OpenSSL refuses MD5"
        case .signingFailed: "OpenSSL could not make the signature"
        }
    }

    /// How to mend it, as an imperative.
    var fix: String {
        switch self {
        case .noPEM:
            "name the private key file of the API key (it has a line -----BEGIN PRIVATE KEY----- or -----BEGIN RSA PRIVATE KEY-----)"
        case .publicKeyGiven, .certificateGiven, .otherPEM: "name the private key file that belongs to it as key_file"
        case .openSSHFormat: "convert a copy of it with 'ssh-keygen -p -m PEM -f COPY'"
        case .notRSA: "make an RSA key with 'openssl genrsa -out key.pem 2048' and upload its public key to the user"
        case .encryptedWithoutPassPhrase: "set pass_phrase"
        case .wrongPassPhrase: "correct pass_phrase"
        case .obsoleteEncryption:
            "encrypt it anew with 'openssl pkcs8 -topk8 -provider legacy -provider default -in OLD -out NEW'"
        case .damaged: "copy the file anew"
        case .tooSmall:
            "make a key of 2048 bits with 'openssl genrsa -out key.pem 2048' and upload its public key to the user"
        case .noFingerprint: "let OpenSSL use its default provider beside FIPS"
        case .signingFailed: "restart the proxy, and check the key file if it happens again"
        }
    }

    var description: String { "\(reason); \(fix)" }
}
