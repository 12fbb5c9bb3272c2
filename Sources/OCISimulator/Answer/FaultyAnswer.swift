/// Turns an answer and the faults of its request into what the connection does.
package struct FaultyAnswer {
    package let effects: FaultEffects
    package let pacing: Pacing

    /// What stands in the place of an answer; nil when there is to be one.
    package func instead() -> ReplyScript? {
        var script: ReplyScript
        switch effects.instead {
        case .status(let status, let retryAfter, let body, let contentType):
            script = ReplyScript(
                status: status, headers: [("content-type", contentType)],
                form: .whole(body: body.map { Array($0.utf8) } ?? Self.error(status).body.bytes, cutTo: nil))
            if let retryAfter { script.headers.append(("retry-after", String(retryAfter))) }
        case .oddRefusal(let status, let place):
            let form = place.map { OddRefusal.forms[$0] } ?? OddRefusal.forms.randomElement() ?? OddRefusal.forms[0]
            script = ReplyScript(
                status: status, headers: [("content-type", form.contentType)],
                form: .whole(body: Array(form.body.utf8), cutTo: nil))
        case .reset: script = ReplyScript(form: .nothing, ending: .reset)
        case .close: script = ReplyScript(form: .nothing, ending: .close)
        case .stall: script = ReplyScript(form: .nothing, ending: .stall)
        default: return nil
        }
        script.delay = effects.delay
        return script
    }

    /// The service's own words for a status.
    private static func error(_ status: Int) -> ServiceError {
        switch status {
        case 401: .notAuthenticated
        case 404: .notAuthorizedOrNotFound
        case 409: ServiceError(409, code: "IncorrectState", "The resource is in an incorrect state.")
        case 413: .tooLarge
        case 429: ServiceError(429, code: "TooManyRequests", "Too many requests for the user.")
        case 500: ServiceError(500, code: "InternalServerError", "An internal server error occurred.")
        case 503: ServiceError(503, code: "ServiceUnavailable", "The service is currently unavailable.")
        default: ServiceError(status, "Simulated error")
        }
    }

    /// The answer with the content that a fault wants.
    package func changed(_ answer: Answer) -> Answer {
        var answer = answer
        for habit in effects.habits { answer.take(habit) }
        switch effects.content {
        case .huge(let bytes):
            // In pieces of 64 KiB at most, so that a stream is not one monstrous event.
            answer.pieces = stride(from: 0, to: bytes, by: 65536).map {
                String(repeating: "x", count: min(65536, bytes - $0))
            }
            answer.toolCalls = []
            answer.finish = .stop
        case .empty:
            answer.pieces = []
            answer.reasoning = []
            answer.toolCalls = []
            answer.finish = .stop
        default: break
        }
        return answer
    }

    // MARK: Streams

    package func stream(_ events: [StreamEvent]) -> ReplyScript {
        var events = events
        for habit in effects.habits { events.take(habit) }
        var ending = ReplyScript.Ending.complete
        switch effects.midway {
        case .cut(let place):
            events.cut(to: place)
            ending = .close
        case .resetMidway(let place):
            events.cut(to: place)
            ending = .reset
        case .stallMidway(let place):
            events.cut(to: place)
            ending = .stall
        case .silentEnd(let count):
            events = Array(events.prefix(count).prefix { !$0.isFinish })
        case .brokenEvent(.events(let count)):
            let broken = StreamEvent(payload: .raw("{\"index\":0,\"message\":{\"role\":\"ASSIST"), isPaced: true)
            events.insert(broken, at: min(count, events.count))
        case .errorEvent(let count):
            events = Array(events.prefix(count))
            events.append(.paced(ServiceError(500, "Internal server error").body))
        case .noDone:
            events.removeAll { if case .raw = $0.payload { true } else { false } }
        case .keepOpen: ending = .stall
        default: break
        }
        var random = SplitMix64()
        var chunks = events.map { event in
            ReplyScript.Chunk(bytes: event.bytes(pacing.separator, &random), isPaced: event.isPaced, delay: event.delay)
        }
        switch effects.midway {
        case .cut(.bytes(let count)), .resetMidway(.bytes(let count)), .stallMidway(.bytes(let count)):
            chunks.cut(to: count)
        case .brokenEvent(.bytes(let count)): chunks.garble(at: count)
        default: break
        }
        if effects.habits.contains(.carriageReturns) {
            for index in chunks.indices {
                chunks[index].bytes = chunks[index].bytes.map { $0 == UInt8(ascii: "\n") ? UInt8(ascii: "\r") : $0 }
            }
        }
        var headers = [(name: "content-type", value: "text/event-stream")]
        if effects.habits.contains(.packed) {
            headers.append(("content-encoding", "gzip"))
            var packer = StoredGzip()
            for index in chunks.indices { chunks[index].bytes = packer.add(chunks[index].bytes) }
            chunks.append(ReplyScript.Chunk(bytes: packer.finish(), isPaced: false))
        }
        return ReplyScript(
            headers: headers,
            form: .stream(chunks, firstEventDelay: effects.firstEventDelay ?? .zero, interval: pacing.interval),
            ending: ending, delay: effects.delay + pacing.firstDelay)
    }

    // MARK: Whole answers

    package func whole(_ json: JSON) -> ReplyScript {
        var body = json.bytes
        var headers = [(name: "content-type", value: "application/json")]
        if effects.habits.contains(.packed) {
            headers.append(("content-encoding", "gzip"))
            var packer = StoredGzip()
            body = packer.add(body) + packer.finish()
        }
        var script = ReplyScript(headers: headers, form: .whole(body: body, cutTo: nil))
        script.delay = effects.delay + pacing.firstDelay + (effects.firstEventDelay ?? .zero)
        let half = body.count / 2
        switch effects.midway {
        case .cut:
            script.form = .whole(body: body, cutTo: half)
            script.ending = .close
        case .resetMidway:
            script.form = .whole(body: body, cutTo: half)
            script.ending = .reset
        case .stallMidway:
            script.form = .whole(body: body, cutTo: half)
            script.ending = .stall
        // Of the right length, but no JSON.
        case .brokenEvent, .silentEnd: script.form = .whole(body: Array(body.prefix(half)), cutTo: nil)
        case .errorEvent:
            let delay = script.delay
            script = .error(Self.error(500))
            script.delay = delay
        default: break
        }
        return script
    }
}

extension [StreamEvent] {
    /// What comes of the events before the place, if it is counted in events.
    fileprivate mutating func cut(to place: Fault.Place) {
        if case .events(let count) = place { self = Array(prefix(count)) }
    }
}

extension [ReplyScript.Chunk] {
    fileprivate mutating func cut(to count: Int) {
        var left = Swift.max(count, 0)
        for index in indices {
            self[index].bytes = [UInt8](self[index].bytes.prefix(left))
            left -= self[index].bytes.count
        }
        removeAll(where: \.bytes.isEmpty)
    }

    /// In place of the byte comes one that no JSON has.
    fileprivate mutating func garble(at count: Int) {
        var left = count
        for index in indices {
            guard left >= self[index].bytes.count else {
                if left >= 0 { self[index].bytes[left] = 0 }
                return
            }
            left -= self[index].bytes.count
        }
    }
}
