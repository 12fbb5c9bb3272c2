/// Something that goes wrong on purpose, for the requests that match.
package struct Fault: Sendable, Equatable {
    package enum Action: Sendable, Equatable {
        /// Wait before the first byte of the answer. Adds up, and goes together with every other action.
        case delay(Duration)
        /// Send the headers, then wait before the first event. Goes together with every other action.
        case delayFirstEvent(Duration)

        /// An error answer. Without `body` it is the service's JSON for that status.
        /// With status 200 and a body it is what some gateways do: an error that looks like an answer.
        case status(Int, retryAfter: Int? = nil, body: String? = nil, contentType: String = "application/json")
        /// A refusal in another form than the service's own: one of `OddRefusal.forms` by its place, or any of them.
        case oddRefusal(Int, form: Int? = nil)
        /// RST before any answer.
        case reset
        /// An orderly end of the connection before any answer.
        case close
        /// No answer; the connection stays open.
        case stall

        /// The text is this many bytes long.
        case huge(bytes: Int)
        /// No content at all.
        case empty

        /// A stream for a whole answer, and the reverse. Goes together with every other action.
        case otherKind
        /// Something odd that means no harm. Several go together.
        case habit(Habit)

        // Within a stream. A whole answer is treated alike, with half of its body in place of the events.
        /// The connection is closed.
        case cut(after: Place)
        /// RST.
        case resetMidway(after: Place)
        /// Nothing comes any more.
        case stallMidway(after: Place)
        /// A malformed event, or a byte that no JSON may have, then on as if nothing were.
        case brokenEvent(after: Place)
        /// The body ends properly, but with no finish reason.
        case silentEnd(afterEvents: Int)
        /// `{"code", "message"}` as an event, then the end of the body.
        case errorEvent(afterEvents: Int)
        /// No `[DONE]`.
        case noDone
        /// All events, but the body never ends.
        case keepOpen

        package static func cut(afterEvents count: Int) -> Action { .cut(after: .events(count)) }
        package static func resetMidway(afterEvents count: Int) -> Action { .resetMidway(after: .events(count)) }
        package static func stallMidway(afterEvents count: Int) -> Action { .stallMidway(after: .events(count)) }
        package static func brokenEvent(afterEvents count: Int) -> Action { .brokenEvent(after: .events(count)) }

        /// The HTML page of a gateway that gave up waiting.
        package static let gatewayTimeoutPage = Action.status(
            504, body: "<html><body><h1>504 Gateway Time-out</h1></body></html>", contentType: "text/html")
    }

    /// Where a stream takes harm.
    package enum Place: Sendable, Equatable {
        /// After so many events; each `data:` line counts.
        case events(Int)
        /// After so many bytes of its body, in the middle of an event or of a character too.
        case bytes(Int)
    }

    /// Nil matches each account, model or kind.
    package var account: String?
    /// Display name, as sent in `modelId`.
    package var model: String?
    package var kind: RequestKind?
    /// So many matching requests pass unharmed first.
    package var after: Int
    /// So many are harmed then; nil: all of them.
    package var times: Int?
    package var action: Action

    package init(
        _ action: Action, account: String? = nil, model: String? = nil, kind: RequestKind? = nil, after: Int = 0,
        times: Int? = 1
    ) {
        self.action = action
        self.account = account
        self.model = model
        self.kind = kind
        self.after = after
        self.times = times
    }
}

/// The calls of the service that the simulator knows; `metadata` and `token` are those of the services that give out credentials.
package enum RequestKind: String, Sendable, CaseIterable {
    case chat, models, embed, rerank, endpoints, metadata, token
}

/// What the faults make of one request.
package struct FaultEffects: Sendable, Equatable {
    package var delay = Duration.zero
    package var firstEventDelay: Duration?
    /// `status`, `oddRefusal`, `reset`, `close` or `stall`.
    package var instead: Fault.Action?
    /// `huge` or `empty`.
    package var content: Fault.Action?
    /// A stream and a whole answer change places.
    package var isOfOtherKind = false
    package var habits: [Habit] = []
    /// One of the actions within a stream.
    package var midway: Fault.Action?

    /// Takes an action up, unless another one has its place already.
    fileprivate mutating func take(_ action: Fault.Action) -> Bool {
        switch action {
        case .delay(let duration):
            delay += duration
            return true
        case .delayFirstEvent(let duration):
            guard firstEventDelay == nil else { return false }
            firstEventDelay = duration
        case .status, .oddRefusal, .reset, .close, .stall:
            guard instead == nil else { return false }
            instead = action
        case .huge, .empty:
            guard content == nil else { return false }
            content = action
        case .otherKind:
            guard !isOfOtherKind else { return false }
            isOfOtherKind = true
        case .habit(let habit):
            guard !habits.contains(habit) else { return false }
            habits.append(habit)
        case .cut, .resetMidway, .stallMidway, .brokenEvent, .silentEnd, .errorEvent, .noDone, .keepOpen:
            guard midway == nil else { return false }
            midway = action
        }
        return true
    }
}

/// The faults in force, oldest first. Two of a kind follow each other; a delay goes along with the rest.
package struct FaultTable: Sendable {
    private struct Entry: Sendable {
        var fault: Fault
        var passed = 0
        var used = 0
    }

    private var entries: [Entry] = []

    package init() {}

    package mutating func add(_ fault: Fault) { entries.append(Entry(fault: fault)) }

    package mutating func removeAll() { entries.removeAll() }

    package mutating func effects(account: String, model: String?, kind: RequestKind) -> FaultEffects {
        var effects = FaultEffects()
        for index in entries.indices {
            let fault = entries[index].fault
            guard fault.account.map({ $0 == account }) ?? true, fault.model.map({ $0 == model }) ?? true,
                fault.kind.map({ $0 == kind }) ?? true
            else { continue }
            if entries[index].passed < fault.after {
                entries[index].passed += 1
            } else if effects.take(fault.action) {
                entries[index].used += 1
            }
        }
        entries.removeAll { entry in entry.fault.times.map { entry.used >= $0 } ?? false }
        return effects
    }
}
