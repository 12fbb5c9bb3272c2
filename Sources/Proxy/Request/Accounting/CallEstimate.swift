/// What a call may use, made out when somebody asks.
enum CallEstimate: Sendable {
    /// Nobody charges for it, or nobody can tell.
    case none
    case known(UsageEstimate)
    /// A chat whose key has nothing to reserve. Upstreams tell what nearly all of them have used.
    case chat([UInt8], characters: Int64?)

    /// It says little (`UsageEstimate.isVague`).
    var isVague: Bool { if case .known(let estimate) = self { estimate.isVague } else { false } }
    var isNone: Bool { if case .none = self { true } else { false } }

    /// Reads the chat, where it is one.
    var value: UsageEstimate {
        switch self {
        case .none: UsageEstimate()
        case .known(let estimate): estimate
        case .chat(let body, let characters):
            UsageEstimate(
                prompt: (try? JSONDocument(parsing: body)).map { PromptSize.tokens(of: $0.root) } ?? 0,
                characters: characters)
        }
    }

    var characters: Int64? {
        switch self {
        case .none: nil
        case .known(let estimate): estimate.characters
        case .chat(_, let characters): characters
        }
    }

    /// The same for a model that is billed by characters.
    func counting(characters: Int64?) -> CallEstimate {
        switch self {
        case .none: .none
        case .known(let estimate): .known(estimate.counting(characters: characters))
        case .chat(let body, _): .chat(body, characters: characters)
        }
    }
}
