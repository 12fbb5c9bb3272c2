import NIOHTTP1
import ProxyRouting
import Synchronization

/// What the front door has made of a request, from its head on, and what the request has laid claim to.
final class Admission: RequestTicket {
    enum Verdict: Sendable {
        /// To be handled by this endpoint once the body is whole; with the name of the key that it came with, where one is needed.
        case admitted(EndpointTable.Match, key: String?)
        /// A browser asks what it may send.
        case preflight
        /// Indirect, so that the others are a few words: a verdict is looked at often, and seldom this.
        indirect case refused(Failure)
    }

    let door: FrontDoor
    let head: HTTPRequestHead
    /// By the head; what comes later may still refuse it.
    private let screened: Verdict
    /// Asked with each piece of a body.
    let streamsBody: Bool
    private let state: Mutex<State>

    private struct State {
        /// Why it is refused since then.
        var refusal: Verdict?
        var claim: RequestClaims.Claim
    }

    init(_ verdict: Verdict, of head: HTTPRequestHead, claim: RequestClaims.Claim = .none, by door: FrontDoor) {
        self.door = door
        self.head = head
        screened = verdict
        streamsBody = FrontDoor.streams(verdict, head)
        state = Mutex(State(claim: claim))
    }

    var verdict: Verdict { state.withLock { $0.refusal } ?? screened }

    /// Why it is refused; nil when it is not.
    var failure: Failure? {
        if case .refused(let failure) = verdict { failure } else { nil }
    }

    // MARK: RequestTicket

    var isRefused: Bool {
        if case .refused = screened { true } else { state.withLock { $0.refusal != nil } }
    }

    /// Of the other requests, which need no key, none may make the process keep a body.
    var readsBody: Bool {
        if case .admitted(let match, _) = screened { match.endpoint.method == .POST && !isRefused } else { false }
    }

    var bodyLimit: Int { door.bodyLimit(of: screened) }

    func claim(bodyBytes: Int) -> Bool {
        state.withLock { state in
            guard state.refusal == nil, let failure = door.claimBody(bodyBytes, for: screened, &state.claim) else {
                return true
            }
            state.refusal = .refused(failure)
            return false
        }
    }

    func refusal() -> Response { door.refusal(failure ?? .notHTTP, to: head) }

    func release() { state.withLock { door.claims.giveBack(&$0.claim) } }

    nonisolated(nonsending) func respond(to request: ClientRequest, on connection: ClientConnection) async {
        await door.respond(to: request, self, on: connection)
    }
}
