import NIOHTTP1
import ProxyRouting
import Synchronization

/// What the front door has made of a request, from its head on, and what the request has laid claim to.
final class Admission: RequestTicket {
    enum Verdict: Sendable {
        /// To be handled by this endpoint once the body is whole; with whose key it came with, where one is needed.
        case admitted(EndpointTable.Match, Caller?)
        /// A browser asks what it may send.
        case preflight
        /// Indirect, so that the others are a few words: a verdict is looked at often, and seldom this.
        indirect case refused(Failure, Caller? = nil)
    }

    let door: FrontDoor
    let head: HTTPRequestHead
    let fields: KnownFields
    let entrance: Entrance
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

    init(
        _ verdict: Verdict, of head: HTTPRequestHead, _ fields: KnownFields, claim: RequestClaims.Claim = .none,
        by door: FrontDoor, _ entrance: Entrance = .only
    ) {
        self.fields = fields
        self.entrance = entrance
        self.door = door
        self.head = head
        screened = verdict
        streamsBody = FrontDoor.streams(verdict, head)
        state = Mutex(State(claim: claim))
    }

    var verdict: Verdict { state.withLock { $0.refusal } ?? screened }

    // MARK: RequestTicket

    var isRefused: Bool {
        if case .refused = screened { true } else { state.withLock { $0.refusal != nil } }
    }

    /// Of the other requests, which need no key, none may make the process keep a body.
    var readsBody: Bool {
        if case .admitted = screened { head.method == .POST && !isRefused } else { false }
    }

    var bodyLimit: Int { door.bodyLimit(of: screened) }

    func claim(bodyBytes: Int) -> Bool {
        state.withLock { state in
            guard state.refusal == nil, let failure = door.claimBody(bodyBytes, for: screened, &state.claim) else {
                return true
            }
            state.refusal = .refused(failure, screened.caller)
            return false
        }
    }

    func refusal() -> Response {
        guard case .refused(let failure, let caller) = verdict else { return door.refusal(.notHTTP, to: head) }
        return door.refusal(failure, to: head, of: caller)
    }

    func release() { state.withLock { door.claims.giveBack(&$0.claim) } }

    nonisolated(nonsending) func respond(to request: ClientRequest, on connection: ClientConnection) async {
        await door.respond(to: request, self, on: connection)
    }
}

extension Admission.Verdict {
    /// Where the request counts as one that runs: what is asked of models, with a key.
    var running: KeyAccount? {
        if case .admitted(let match, let caller?) = self, match.endpoint.method == .POST { caller.account } else { nil }
    }

    /// Whose key the request has shown, where it needs one.
    var caller: Caller? {
        switch self {
        case .admitted(_, let caller), .refused(_, let caller): caller
        case .preflight: nil
        }
    }
}
