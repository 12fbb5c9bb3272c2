import ProxyRouting

extension RequestTrace {
    /// What happened, in order, as `RequestStory.events` has it: an attempt is its number. Nil when there were attempts of one call alone, as in nearly all
    /// requests.
    func storyEvents() -> [UInt8]? {
        read { events in
            let hasMore = events.contains { event in
                switch event {
                case .began(let call, _, _): call > 0
                case .ended: false
                case .gaveUp: events.triedSeveralModels
                case .passedOver, .waited, .paused, .refused, .succeeded, .fellBack, .rescue: true
                }
            }
            return hasMore ? write(events) : nil
        }
    }

    private func write(_ events: [Event]) -> [UInt8] {
        var writer = JSONWriter()
        var attempts = 0
        writer.beginArray()
        for event in events {
            switch event {
            case .ended: continue
            // That there was no other model is nothing to tell.
            case .gaveUp where !events.triedSeveralModels: continue
            default: break
            }
            writer.beginObject()
            writer.key("type")
            switch event {
            case .ended: break
            case .began(let call, _, _):
                attempts += 1
                writer.string(literal: "attempt")
                member("number", attempts)
                member("call", call)
            case .passedOver(let passed, let names, let call):
                writer.string(literal: "passed_over")
                member("call", call)
                writer.key("upstreams")
                writer.beginArray()
                for (one, name) in zip(passed, names) { write(one, name, &writer) }
                writer.endArray()
            case .waited(let wait, let call):
                writer.string(literal: "waited")
                member("call", call)
                member("wait_ms", wait)
            case .paused(let pause, let call):
                writer.string(literal: "paused")
                member("call", call)
                member("wait_ms", pause)
            case .refused(let refusal, let call):
                writer.string(literal: "refused")
                member("call", call)
                writer.key("text")
                writer.string(refusal.sentence)
            case .succeeded(let model):
                writer.string(literal: "successor")
                writer.key("model")
                writer.string(model.quotable)
            case .fellBack(let model):
                writer.string(literal: "fallback")
                writer.key("model")
                writer.string(model.quotable)
            case .gaveUp: writer.string(literal: "gave_up")
            case .rescue(let model, let result):
                writer.string(literal: "rescue")
                writer.key("model")
                writer.string(model.quotable)
                writer.key("result")
                writer.string(result)
            }
            writer.endObject()
        }
        writer.endArray()
        return writer.bytes

        func member(_ key: StaticString, _ number: Int) {
            writer.key(key)
            writer.int(number)
        }
        func member(_ key: StaticString, _ time: Duration) {
            writer.key(key)
            writer.double(Double(time.microseconds) / 1000)
        }
    }

    private func write(_ one: PassedOver, _ name: String, _ writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("id")
        writer.string(name)
        writer.key("of_model")
        writer.bool(one.isOfModel)
        writer.key("reason")
        writer.string(one.availability.reasonWord)
        writer.key("until")
        let until = one.availability.recheckAt.map { head.wallMicroseconds(of: $0) / 1_000_000 }
        writer.moment(until)
        writer.key("text")
        let whose = one.isOfModel ? "its model " : ""
        writer.string(whose + one.availability.sentence(until: until.map { RFC3339.format($0) }))
        writer.endObject()
    }
}

extension [RequestTrace.Event] {
    /// Another model than the first one has been called.
    var triedSeveralModels: Bool {
        var first: String?
        for case .began(_, let report, _) in self {
            if let first, first != report.call.model { return true }
            first = report.call.model
        }
        return false
    }
}

extension Availability {
    /// For programs.
    var reasonWord: String {
        switch self {
        case .available: "available"
        case .full: "full"
        case .unavailable(.unhealthy): "unhealthy"
        case .unavailable(.coolingDown): "cooling_down"
        case .unavailable(.breakerOpen): "breaker_open"
        case .unavailable(.probing): "probing"
        }
    }

    /// For people.
    func sentence(until: String?) -> String {
        let end = until.map { " until \($0)" } ?? ""
        return switch self {
        case .available: "is available"
        case .full: "has no permit left"
        case .unavailable(.unhealthy): "fails its health checks"
        case .unavailable(.coolingDown(_, isThrottle: true)): "cools down\(end) after a 429"
        case .unavailable(.coolingDown): "cools down\(end), as it asked for a pause"
        case .unavailable(.breakerOpen): "has an open circuit breaker\(end)"
        case .unavailable(.probing): "has a half-open circuit breaker, and its one probe is under way"
        }
    }
}

extension RouteRefusal {
    /// For people.
    var sentence: String {
        switch self {
        case .unavailable(let outlook):
            outlook.isThrottled ? "All upstreams of the model cool down." : "No upstream of the model is in use now."
        case .retryBudgetSpent: "Enough is being retried already."
        case .queueFull: "The queue is full."
        case .queueTimeout: "No permit came in time."
        case .cancelled: "The client left."
        }
    }
}
