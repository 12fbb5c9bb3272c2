/// Puts the tool calls of one streamed choice in order: OCI's streams number nothing (OCI wire notes, 4.3).
///
/// Grok sends whole calls with ids, the vLLM families an opening entry and then fragments without any, Gemini whole calls
/// without ids. A new id opens the next call, a known id continues its own; a name without an id opens one unless the open
/// call still lacks the rest of its arguments; an entry with neither continues the call that was opened last.
///
/// Some give all calls one id, or the tool's name for one. So an entry with a known id opens a call, too, when it has a name and the call with that id is
/// whole and another one; it gets an id of its own, for a client tells results apart by them. What only repeats a call is none.
struct ToolCallAssembly: Sendable {
    private struct Call {
        /// As the upstream has it; nil when it named none.
        let toldID: String?
        let name: ArraySlice<UInt8>
        /// What the client has got so far, escaped.
        var arguments: [UInt8]
        var balance = JSONBalance()
        /// How much of the arguments `balance` has seen.
        var balanced = 0
        /// Its id and its name have come again without arguments: more of it, or the beginning of another call.
        var isNamedAgain = false

        /// Whether the arguments are a whole object or array.
        mutating func isWhole() -> Bool {
            if balanced < arguments.count {
                balance.take(JSONString.decode(arguments[balanced...]).utf8)
                balanced = arguments.count
            }
            return balance.isWhole
        }
    }

    /// A call that is over, as it would be repeated.
    private struct Told: Hashable {
        let id: String
        let name: ArraySlice<UInt8>
        let arguments: ArraySlice<UInt8>
    }

    /// What an entry came to.
    enum Step: Equatable {
        case taken
        /// It says nothing: neither a call nor a piece of one.
        case nothing
        /// More arguments for a call that the client has been told is over. Clients read one call after the other, so
        /// this cannot be passed on.
        case tooLate
    }

    private var calls: [Call] = []
    private var isOpen = false
    /// The last call of each id.
    private var places: [String: Int] = [:]
    private var ids = CallIDs()
    private var told: Set<Told> = []
    /// Only the first call goes on; the pieces of the others are passed over.
    var hasOneCall = false
    private var isSkipping = false

    var isEmpty: Bool { calls.isEmpty }
    /// Some call had the id of another.
    private(set) var sharesIDs = false

    /// - Parameter function: where COHEREV2 has the name and the arguments of a call (OCI wire notes, 4.5).
    mutating func take(
        _ call: JSONValue, function: JSONValue? = nil, choice: Int, of response: ResponseID,
        into sink: inout some ChatEventSink
    ) -> Step {
        let function = function ?? call
        let id = call["id"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        let name = function["name"]?.rawString.flatMap { $0.isEmpty ? nil : $0 }
        let arguments = ToolCallArguments.escaped(of: function)
        if isRepeated(id, name, arguments) { return .nothing }
        if let named = nameOfNext(id: id, name: name, arguments) {
            if hasOneCall, !calls.isEmpty {
                isSkipping = true
                return .nothing
            }
            closeOpenCall(choice: choice, into: &sink)
            let index = calls.count
            let id = id ?? (name == nil ? calls.last?.toldID : nil)
            let callID = ids.id(for: id, of: response, choice: choice, call: index)
            if let id, id != callID { sharesIDs = true }
            calls.append(Call(toldID: id, name: named, arguments: Array(arguments)))
            if let id { places[id] = index }
            isOpen = true
            sink.toolCall(index, id: callID, name: named, arguments: arguments, choice: choice)
            return .taken
        }
        guard !arguments.isEmpty, !calls.isEmpty, !isSkipping else { return .nothing }
        let index = id.flatMap { places[$0] } ?? calls.count - 1
        // An event may restate a call that is there whole.
        if calls[index].arguments.elementsEqual(arguments), calls[index].isWhole() { return .nothing }
        guard isOpen, index == calls.count - 1 else { return .tooLate }
        calls[index].arguments.append(contentsOf: arguments)
        sink.arguments(arguments, of: index, choice: choice)
        return .taken
    }

    /// A call without arguments still has to deliver an empty object, once.
    mutating func closeOpenCall(choice: Int, into sink: inout some ChatEventSink) {
        guard isOpen else { return }
        isOpen = false
        let index = calls.count - 1
        if calls[index].arguments.isEmpty {
            calls[index].arguments = Array("{}".utf8)
            sink.arguments(calls[index].arguments[...], of: index, choice: choice)
        }
        let isWhole = calls[index].isWhole()
        let call = calls[index]
        if let id = call.toldID, isWhole { told.insert(Told(id: id, name: call.name, arguments: call.arguments[...])) }
    }

    /// Whether an entry says once more what a call that is over has said.
    private func isRepeated(_ id: String?, _ name: ArraySlice<UInt8>?, _ arguments: ArraySlice<UInt8>) -> Bool {
        guard let id, let name, !arguments.isEmpty, !told.isEmpty else { return false }
        return told.contains(Told(id: id, name: name, arguments: arguments))
    }

    /// The name of the call that an entry opens; nil when it opens none.
    private mutating func nameOfNext(id: String?, name: ArraySlice<UInt8>?, _ arguments: ArraySlice<UInt8>)
        -> ArraySlice<UInt8>?
    {
        if name == nil, isOpen, let last = calls.last, last.isNamedAgain, id == nil || id == last.toldID {
            return arguments.isEmpty || last.arguments.elementsEqual(arguments) ? nil : last.name
        }
        if let id {
            guard let place = places[id] else { return name ?? [] }
            guard let name else { return nil }
            if isOpen, place == calls.count - 1 { return opensAnother(name, arguments) ? name : nil }
            // The call with that id is over. What is there whole is no piece of it.
            return Self.isWhole(arguments) && calls[place].isWhole() ? name : nil
        }
        guard let name else { return nil }
        guard isOpen, let last = calls.last, last.name.elementsEqual(name) else { return name }
        // The same name again: the next call of a family that sends whole calls, or a further piece of the open one.
        if last.arguments.isEmpty { return last.toldID == nil ? name : nil }
        return calls[calls.count - 1].isWhole() ? name : nil
    }

    private static func isWhole(_ escaped: ArraySlice<UInt8>) -> Bool {
        var balance = JSONBalance()
        balance.take(JSONString.decode(escaped).utf8)
        return balance.isWhole
    }

    /// Whether an entry with the id of the open call is another call.
    private mutating func opensAnother(_ name: ArraySlice<UInt8>, _ arguments: ArraySlice<UInt8>) -> Bool {
        let last = calls.count - 1
        guard calls[last].name.elementsEqual(name) else { return !calls[last].name.isEmpty }
        guard calls[last].isWhole() else { return false }
        if arguments.isEmpty {
            calls[last].isNamedAgain = true
            return false
        }
        return !calls[last].arguments.elementsEqual(arguments)
    }
}
