/// What an answer is called, where it has no name of its upstream's.
enum ResponseID: Sendable {
    case given(String)
    /// Drawn for this answer. Nothing is written down until somebody needs it: an answer that passes through has its own.
    case drawn(RandomName)

    /// With the prefix of a client dialect, such as `chatcmpl-`; a given one as it is.
    func text(prefix: String) -> String {
        switch self {
        case .given(let id): id
        case .drawn(let name): prefix + name.hex
        }
    }

    /// The part that no two answers share.
    var token: Substring {
        switch self {
        case .given(let id): id.split(separator: "-").last ?? ""
        case .drawn(let name): name.hex[...]
        }
    }

    /// The id of a call to which the upstream gave none.
    func inventedCallID(choice: Int, call: Int) -> String { "call_\(token)_\(choice)_\(call)" }
}
