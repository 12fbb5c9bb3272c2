/// Mends the tool calls of an upstream that speaks the OpenAI API, where a client could not tell them apart: calls of a stream without a number, or with one
/// that another call has, calls without an id or with another's, arguments that are an object, and calls that are said twice.
///
/// What is right stays as the upstream wrote it (docs/decisions/0023).
struct CallRepair {
    /// Other bytes in the place of some.
    struct Edit: Equatable {
        let range: Range<Int>
        let bytes: [UInt8]
    }

    private struct Call {
        /// The client's number for it.
        let number: Int
        /// The id as the upstream has it, and as the client has got it.
        var told: String?
        var given: String?
        var name: String?
        /// What the client has got so far.
        var arguments: [UInt8] = []
        var balance = JSONBalance()

        /// Its arguments are all there.
        var isOver: Bool { !arguments.isEmpty && balance.isWhole }
    }

    private struct Choice {
        var calls: [Call] = []
        /// The last call of each of the upstream's numbers, and of its ids.
        var numbered: [Int: Int] = [:]
        var identified: [String: Int] = [:]
        var numbers: Set<Int> = []
        var nextNumber = 0
    }

    private var choices: [Int: Choice] = [:]
    private var ids = CallIDs()
    /// The answer's id, for those that are made up.
    private var answer: String?

    /// Calls of one choice that are looked at: an upstream may send any number of them.
    private static let mostCalls = 1024

    // MARK: Streams

    /// What has to change in an event. Nearly always nothing.
    mutating func edits(ofEvent root: JSONValue) -> [Edit] {
        var edits: [Edit] = []
        if answer == nil { answer = Self.name(of: root) }
        for (position, choice) in root.elements(of: "choices").enumerated() {
            guard let entries = choice["delta"]?["tool_calls"], entries.kind == .array else { continue }
            let index = min(max(choice["index"]?.int ?? position, 0), ChoiceProgress.mostChoices)
            for entry in entries.elements where entry.kind == .object && entry.members.contains(where: { _ in true }) {
                take(entry, of: index, &edits)
            }
        }
        return edits.sorted { $0.range.lowerBound < $1.range.lowerBound }
    }

    private mutating func take(_ entry: JSONValue, of index: Int, _ edits: inout [Edit]) {
        var choice = choices.removeValue(forKey: index) ?? Choice()
        defer { choices[index] = choice }
        let number = entry["index"]?.int
        let id = Self.text(entry["id"])
        let name = Self.text(entry["function"]?["name"])
        let arguments = Self.arguments(of: entry)
        let known = Self.place(number, id, in: choice, isNamed: name != nil)
        if let known, !Self.isAnother(than: &choice.calls[known], id, name, arguments) {
            continueCall(known, of: &choice, entry, id, name, arguments, &edits)
            return write(choice.calls[known].number, in: entry, &edits)
        }
        guard choice.calls.count < Self.mostCalls else { return }
        let place = choice.calls.count
        let free = number.flatMap { $0 >= 0 && !choice.numbers.contains($0) ? $0 : nil } ?? choice.nextNumber
        choice.numbers.insert(free)
        choice.nextNumber = max(choice.nextNumber, free + 1)
        if let number { choice.numbered[number] = place }
        if let id { choice.identified[id] = place }
        var call = Call(number: free, told: id, given: id, name: name, arguments: arguments)
        call.balance.take(arguments)
        if id != nil || name != nil {
            let given = ids.id(for: id, of: .given(answer ?? ""), choice: index, call: free)
            if given != id { Self.write(given, as: "id", in: entry, &edits) }
            call.given = given
        }
        choice.calls.append(call)
        writeObject(in: entry, &edits)
        write(free, in: entry, &edits)
    }

    private func continueCall(
        _ place: Int, of choice: inout Choice, _ entry: JSONValue, _ id: String?, _ name: String?, _ arguments: [UInt8],
        _ edits: inout [Edit]
    ) {
        let call = choice.calls[place]
        if call.told == nil { choice.calls[place].told = id }
        if call.name == nil { choice.calls[place].name = name }
        if let id, let given = call.given, given != id, call.told == nil || call.told == id {
            Self.write(given, as: "id", in: entry, &edits)
        }
        if id != nil || name != nil, !arguments.isEmpty, call.balance.isWhole, call.arguments == arguments {
            // It is there already.
            if let value = entry["function"]?["arguments"] {
                edits.append(Edit(range: value.raw.indices, bytes: Array("\"\"".utf8)))
            }
            return
        }
        choice.calls[place].arguments += arguments
        choice.calls[place].balance.take(arguments)
        writeObject(in: entry, &edits)
    }

    /// The call that an entry may belong to.
    private static func place(_ number: Int?, _ id: String?, in choice: Choice, isNamed: Bool) -> Int? {
        if let number {
            let known = choice.numbered[number]
            // SGLang numbers the beginning of a call by its tool and the rest by the call: what belongs nowhere goes to the call that is open.
            guard id == nil, !isNamed, let last = choice.calls.indices.last else { return known }
            guard let known else { return last }
            return choice.calls[known].isOver && !choice.calls[last].isOver ? last : known
        }
        if let id { return choice.identified[id] }
        return choice.calls.isEmpty ? nil : choice.calls.count - 1
    }

    /// Whether an entry that has a call's number or id, or neither, is another call all the same.
    private static func isAnother(than call: inout Call, _ id: String?, _ name: String?, _ arguments: [UInt8]) -> Bool {
        guard let name else { return false }
        if let id, let told = call.told, id != told { return true }
        if let known = call.name, known != name { return true }
        guard call.balance.isWhole else { return false }
        if id == nil, call.told == nil { return call.arguments.isEmpty == arguments.isEmpty }
        return !arguments.isEmpty && call.arguments != arguments
    }

    private func write(_ number: Int, in entry: JSONValue, _ edits: inout [Edit]) {
        guard entry["index"]?.int != number else { return }
        Self.write(member: "index", Array(String(number).utf8), in: entry, &edits)
    }

    // MARK: Whole answers

    /// What has to change in a whole answer.
    static func edits(ofAnswer root: JSONValue) -> [Edit] {
        var edits: [Edit] = []
        for (position, choice) in root.elements(of: "choices").enumerated() {
            guard let calls = choice["message"]?["tool_calls"], calls.kind == .array else { continue }
            var ids = CallIDs()
            let repair = CallRepair()
            let name = name(of: root)
            for (number, call) in calls.elements.enumerated()
            where call.kind == .object && call.members.contains(where: { _ in true }) {
                let id = text(call["id"])
                let given = ids.id(for: id, of: .given(name), choice: position, call: number)
                if given != id { write(given, as: "id", in: call, &edits) }
                repair.writeObject(in: call, &edits)
            }
        }
        return edits.sorted { $0.range.lowerBound < $1.range.lowerBound }
    }

    /// A document with the edits made.
    static func apply(_ edits: [Edit], to document: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(document.count + 64 * edits.count)
        var rest = 0
        for edit in edits where edit.range.lowerBound >= rest {
            result.append(contentsOf: document[rest..<edit.range.lowerBound])
            result.append(contentsOf: edit.bytes)
            rest = edit.range.upperBound
        }
        result.append(contentsOf: document[rest...])
        return result
    }

    // MARK: Parts

    private static func name(of answer: JSONValue) -> String {
        text(answer["id"])?.cut(toBytes: 64) ?? RandomName().hex
    }

    private static func text(_ value: JSONValue?) -> String? { value?.string.flatMap { $0.isEmpty ? nil : $0 } }

    private static func arguments(of entry: JSONValue) -> [UInt8] {
        guard let value = entry["function"]?["arguments"] else { return [] }
        if value.kind == .object { return Array(value.raw) }
        return value.string.map { Array($0.utf8) } ?? []
    }

    /// Arguments are a text.
    private func writeObject(in entry: JSONValue, _ edits: inout [Edit]) {
        guard let value = entry["function"]?["arguments"], value.kind == .object else { return }
        edits.append(
            Edit(range: value.raw.indices, bytes: ModelMember.quoted(String(decoding: value.raw, as: UTF8.self))))
    }

    private static func write(_ text: String, as name: StaticString, in entry: JSONValue, _ edits: inout [Edit]) {
        write(member: name, ModelMember.quoted(text), in: entry, &edits)
    }

    private static func write(member name: StaticString, _ value: [UInt8], in entry: JSONValue, _ edits: inout [Edit]) {
        let places = entry.places(of: name)
        guard places.isEmpty else {
            edits += places.map { Edit(range: $0, bytes: value) }
            return
        }
        let start = entry.raw.startIndex + 1
        let member = ModelMember.quoted(String(describing: name)) + [UInt8(ascii: ":")] + value + [UInt8(ascii: ",")]
        // Two members at one place are one edit.
        if let last = edits.indices.suffix(4).last(where: { edits[$0].range == start..<start }) {
            edits[last] = Edit(range: start..<start, bytes: edits[last].bytes + member)
        } else {
            edits.append(Edit(range: start..<start, bytes: member))
        }
    }
}
