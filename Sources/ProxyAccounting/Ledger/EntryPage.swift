/// Requests that have ended, as one thread has written them down: one behind the other, and flat. Nothing of what ends on one core has to be let go of on
/// another, and a request costs no allocation.
///
/// Names are few, and most stand where they stood in the request before: a page has them once, and rows their places. What is of one request alone, its
/// ids, is among the bytes.
package struct EntryPage: Sendable {
    /// Where a name stands among the page's. The same text may have several places.
    package struct Name: Equatable, Sendable {
        package let index: Int32

        package static let none = Name(-1)

        fileprivate init(_ index: Int) { self.index = Int32(truncatingIfNeeded: index) }

        package var isNone: Bool { index < 0 }
    }

    /// Where a text stands among the page's bytes.
    package struct Bytes: Sendable {
        fileprivate let start: Int32
        fileprivate let count: Int32

        package static let none = Bytes(start: 0, count: -1)

        package var isNone: Bool { count < 0 }
    }

    /// What a name is of.
    package enum Slot: Int, Sendable {
        case key, dialect, endpoint, model, error, rescuedFrom, fallback
        /// Of attempts.
        case upstream, calledModel, region, outcome
        case candidates
    }

    package private(set) var rows: [EntryRow] = []
    private var attempts: [AttemptRow] = []
    /// Where those of the request begin that has not been ended.
    private var open = 0
    private var names: [String] = []
    private var bytes: [UInt8] = []
    /// Which upstreams the last attempt could have had, one a bit, and the place of their names.
    private var lastCandidates: (mask: UInt64, name: Name) = (0, .none)
    /// The last name of each slot.
    private var lasts = InlineArray<12, Int32>(repeating: -1)

    /// - Parameter capacity: requests that will come, if that is known.
    package init(capacity: Int = 0) {
        guard capacity > 0 else { return }
        rows.reserveCapacity(capacity)
        attempts.reserveCapacity(capacity)
        bytes.reserveCapacity(capacity * 64)
        names.reserveCapacity(16)
    }

    package var count: Int { rows.count }
    package var nameCount: Int { names.count }

    /// It has been made for requests, and not taken.
    package var hasRoom: Bool { rows.capacity > 0 }

    // MARK: Writing

    package mutating func place(of name: String, _ slot: Slot) -> Name {
        let last = Int(lasts[slot.rawValue])
        if last >= 0, names.span[last] == name { return Name(last) }
        return add(name, slot)
    }

    package mutating func place(ofAny name: String?, _ slot: Slot) -> Name {
        guard let name else { return .none }
        return place(of: name, slot)
    }

    private mutating func add(_ name: String, _ slot: Slot) -> Name {
        lasts[slot.rawValue] = Int32(truncatingIfNeeded: names.count)
        names.append(name)
        return Name(names.count - 1)
    }

    /// - Parameter name: the names of a set of upstreams. It is asked once as long as the set stays the same.
    package mutating func place(ofCandidates mask: UInt64, _ name: (UInt64) -> String) -> Name {
        if mask != lastCandidates.mask { lastCandidates = (mask, place(of: name(mask), .candidates)) }
        return lastCandidates.name
    }

    package mutating func place(of bytes: some Collection<UInt8>) -> Bytes {
        let start = self.bytes.count
        self.bytes.append(contentsOf: bytes)
        return Bytes(
            start: Int32(truncatingIfNeeded: start), count: Int32(truncatingIfNeeded: self.bytes.count - start))
    }

    package mutating func place(of text: String) -> Bytes {
        let start = bytes.count
        // Nearly all texts stand in one piece.
        let isAppended: Void? = unsafe text.utf8.withContiguousStorageIfAvailable { piece in
            unsafe bytes.append(contentsOf: piece)
        }
        if isAppended == nil { bytes.append(contentsOf: text.utf8) }
        return Bytes(start: Int32(truncatingIfNeeded: start), count: Int32(truncatingIfNeeded: bytes.count - start))
    }

    /// An attempt of the request that `append(_: EntryRow)` ends.
    package mutating func append(_ attempt: AttemptRow) { attempts.append(attempt) }

    /// Ends a request, whose are the attempts since the last one.
    package mutating func append(_ row: consuming EntryRow) {
        row.attempts = open..<attempts.count
        open = attempts.count
        rows.append(row)
    }

    /// A request of another page, with its attempts.
    package mutating func append(_ row: EntryRow, of page: borrowing EntryPage) {
        for index in row.attempts {
            var attempt = page.attempt(index)
            attempt.upstream = place(of: page.name(attempt.upstream), .upstream)
            attempt.model = place(of: page.name(attempt.model), .calledModel)
            attempt.outcome = place(of: page.name(attempt.outcome), .outcome)
            attempt.region = place(ofAny: page.name(ifAny: attempt.region), .region)
            attempt.candidates = place(ofAny: page.name(ifAny: attempt.candidates), .candidates)
            if !attempt.opcRequestID.isNone { attempt.opcRequestID = place(of: page.text(attempt.opcRequestID)) }
            append(attempt)
        }
        var row = row
        row.id = place(of: page.text(row.id))
        if !row.story.isNone { row.story = place(of: page.text(row.story)) }
        row.key = place(of: page.name(row.key), .key)
        row.dialect = place(of: page.name(row.dialect), .dialect)
        row.endpoint = place(of: page.name(row.endpoint), .endpoint)
        row.model = place(ofAny: page.name(ifAny: row.model), .model)
        row.servedModel = place(ofAny: page.name(ifAny: row.servedModel), .calledModel)
        row.upstream = place(ofAny: page.name(ifAny: row.upstream), .upstream)
        row.error = place(ofAny: page.name(ifAny: row.error), .error)
        row.rescuedFrom = place(ofAny: page.name(ifAny: row.rescuedFrom), .rescuedFrom)
        row.fallback = place(ofAny: page.name(ifAny: row.fallback), .fallback)
        append(row)
    }

    // MARK: Reading

    package func name(_ place: Name) -> String { names[Int(place.index)] }
    package func name(ifAny place: Name) -> String? { place.isNone ? nil : name(place) }

    package func text(_ place: Bytes) -> ArraySlice<UInt8> {
        bytes[Int(place.start)..<Int(place.start) + Int(place.count)]
    }
    package func text(ifAny place: Bytes) -> ArraySlice<UInt8>? { place.isNone ? nil : text(place) }

    package func attempt(_ index: Int) -> AttemptRow { attempts[index] }
}
