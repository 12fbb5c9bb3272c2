/// A PEM file of certificate authorities as it was when it was read: another content under the same path is another file.
struct AuthorityFile: Hashable, Sendable {
    let path: String
    let content: [UInt8]

}
