extension Fault {
    /// Reads a fault as the control API takes it: `{"action": "status", "status": 429, "retryAfter": 7,
    /// "account": "account_1", "model": "xai.grok-4", "kind": "chat", "times": 3, "after": 1}`.
    /// `times` is a number or `"forever"`, 1 when absent. Throws what is wrong, in words.
    package init(_ json: JSON) throws(ControlError) {
        let known: Set = [
            "action", "account", "model", "kind", "times", "after", "ms", "status", "retryAfter", "body", "contentType",
            "events", "bytes", "habit", "form",
        ]
        guard let object = json.object else { throw ControlError("a fault is a JSON object") }
        if let stranger = object.members.first(where: { !known.contains($0.name) }) {
            throw ControlError("unknown key '\(stranger.name)'; known are \(known.sorted().joined(separator: ", "))")
        }
        var kind: RequestKind?
        if let name = json["kind"]?.string {
            kind = RequestKind(rawValue: name)
            guard kind != nil else { throw ControlError("unknown kind '\(name)'") }
        }
        var times: Int? = 1
        if let value = json["times"] {
            times = value.integer
            guard times.map({ $0 > 0 }) ?? (value.string == "forever") else {
                throw ControlError("'times' is a positive number or \"forever\"")
            }
        }
        self.init(
            try Action(json), account: json["account"]?.string, model: json["model"]?.string, kind: kind,
            after: json["after"]?.integer ?? 0, times: times)
    }
}

extension Fault.Action {
    fileprivate init(_ json: JSON) throws(ControlError) {
        let duration = Duration.milliseconds(json["ms"]?.integer ?? 0)
        let events = json["events"]?.integer ?? 0
        let place = json["bytes"]?.integer.map(Fault.Place.bytes) ?? .events(events)
        switch json["action"]?.string {
        case "delay": self = .delay(duration)
        case "delayFirstEvent": self = .delayFirstEvent(duration)
        case "status":
            guard let status = json["status"]?.integer,
                (400...599).contains(status) || (200...299).contains(status) && json["body"]?.string != nil
            else {
                throw ControlError("action 'status' wants 'status' from 400 to 599, or from 200 to 299 with a 'body'")
            }
            self = .status(
                status, retryAfter: json["retryAfter"]?.integer, body: json["body"]?.string,
                contentType: json["contentType"]?.string ?? "application/json")
        case "oddRefusal":
            guard let status = json["status"]?.integer, (400...599).contains(status),
                json["form"]?.integer.map(OddRefusal.forms.indices.contains) ?? true
            else {
                throw ControlError(
                    "action 'oddRefusal' wants 'status' from 400 to 599, and takes 'form' from 0 to \(OddRefusal.forms.count - 1)"
                )
            }
            self = .oddRefusal(status, form: json["form"]?.integer)
        case "habit":
            guard let habit = Habit(json["habit"]?.string ?? "", duration: duration) else {
                throw ControlError(
                    "action 'habit' wants 'habit', one of \(Habit.names.joined(separator: ", ")); lateTail also 'ms'")
            }
            self = .habit(habit)
        case "gatewayTimeoutPage": self = .gatewayTimeoutPage
        case "reset": self = .reset
        case "close": self = .close
        case "stall": self = .stall
        case "huge":
            guard let bytes = json["bytes"]?.integer, (0...1 << 30).contains(bytes) else {
                throw ControlError("action 'huge' wants 'bytes' from 0 to 1073741824")
            }
            self = .huge(bytes: bytes)
        case "empty": self = .empty
        case "otherKind": self = .otherKind
        case "cut": self = .cut(after: place)
        case "resetMidway": self = .resetMidway(after: place)
        case "stallMidway": self = .stallMidway(after: place)
        case "brokenEvent": self = .brokenEvent(after: place)
        case "silentEnd": self = .silentEnd(afterEvents: events)
        case "errorEvent": self = .errorEvent(afterEvents: events)
        case "noDone": self = .noDone
        case "keepOpen": self = .keepOpen
        case let name:
            throw ControlError(
                "unknown action '\(name ?? "")'; known are delay, delayFirstEvent (ms), status (status, retryAfter, "
                    + "body, contentType), oddRefusal (status, form), gatewayTimeoutPage, reset, close, stall, huge (bytes), empty, otherKind, habit (habit), cut, "
                    + "resetMidway, stallMidway, brokenEvent (events or bytes), silentEnd, errorEvent (events), noDone, keepOpen"
            )
        }
    }
}

/// A control request that makes no sense, in words.
package struct ControlError: Error, Equatable {
    package let message: String
    package init(_ message: String) { self.message = message }
}
