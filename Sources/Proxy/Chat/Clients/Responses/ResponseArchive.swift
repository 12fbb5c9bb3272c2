/// Where what clients have had kept outlives the process: responses, and where others are kept. But for `erase` it never waits.
struct ResponseArchive: Sendable {
    /// What a document is.
    enum Kind: String {
        case response, maker
        /// The name of the response that an item belongs to. For other instances alone.
        case item
    }

    /// A document's name: the id of the response, and what stands for the client's key.
    struct Name: Equatable, Sendable {
        let kind: Kind
        let id: String
        let key: String
    }

    /// A document that a process before has kept.
    struct Document: Sendable {
        let name: Name
        let bytes: [UInt8]
        /// Of the monotonic clock.
        let expires: Duration
    }

    /// Both: what is kept is kept in the one and in the other.
    func joined(with other: ResponseArchive?) -> ResponseArchive {
        guard let other else { return self }
        return ResponseArchive(
            keep: { name, bytes, lifetime in
                keep(name, bytes, lifetime)
                other.keep(name, bytes, lifetime)
            },
            forget: { names in
                forget(names)
                other.forget(names)
            },
            erase: { name in
                try await erase(name)
                try await other.erase(name)
            })
    }

    /// Names of where others are kept are worth no more than that: OpenAI keeps responses for 30 days.
    static let makerLifetime = Duration.seconds(30 * 86_400)

    /// Takes a document, in the place of one of its name, for so long from now on.
    let keep: @Sendable (Name, [UInt8], _ lifetime: Duration) -> Void
    let forget: @Sendable ([Name]) -> Void
    /// Forgets a document, and returns when no later process can find it. Throws when that is not sure, after some seconds at most.
    let erase: @Sendable (Name) async throws -> Void
}
