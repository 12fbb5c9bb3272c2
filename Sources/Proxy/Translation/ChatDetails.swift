/// OCI's ChatDetails but for the compartment, which is the account's: translated once, however many accounts are tried.
struct ChatDetails: Sendable {
    private let members: ArraySlice<UInt8>

    /// - Parameter object: a JSON object with at least one member and without `compartmentId`.
    init(_ object: [UInt8]) {
        members = object.dropFirst()
    }

    /// The whole document.
    func document(in compartment: String) -> [UInt8] {
        var writer = JSONWriter(capacity: members.count + compartment.utf8.count + 32)
        writer.beginObject()
        writer.key("compartmentId")
        writer.string(compartment)
        writer.raw(members)
        return writer.bytes
    }
}
