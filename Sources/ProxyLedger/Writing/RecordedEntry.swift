import ProxyAccounting

/// An entry where it stands in its page: what is asked for is looked up there, and nothing is made of it.
///
/// Names are places in the page's list of them; the same text may have several.
struct RecordedEntry {
    private let numbers: [Int64]
    private let bytes: [UInt8]
    private let names: [String]
    private let number: Int
    private let byte: Int
    /// Where the page's names begin among those of its batch.
    let firstName: Int

    init(numbers: [Int64], bytes: [UInt8], names: [String], number: Int, byte: Int, firstName: Int) {
        self.numbers = numbers
        self.bytes = bytes
        self.names = names
        self.number = number
        self.byte = byte
        self.firstName = firstName
    }

    /// The order in which `EntryPage` writes.
    enum Field: Int {
        case id, at, key, dialect, endpoint, model, servedModel, upstream, status, error, isStreaming, wait, firstToken
        case total, cost, rescuedFrom, fallback, chargedTokens, chargedCost, attempts

        static var count: Int { Self.attempts.rawValue + 1 }
    }
    /// Behind them its usage, and then each attempt, with its own behind it.
    static var size: Int { Field.count + RecordedUsage.size }

    static let nothing = Int64.min

    private func value(_ field: Field) -> Int64 { numbers[number + field.rawValue] }
    private func known(_ field: Field) -> Int64? {
        let value = value(field)
        return value == Self.nothing ? nil : value
    }
    private func place(_ field: Field) -> Int? { known(field).map { Int($0) } }

    func name(_ place: Int) -> String { names[place] }

    var id: ArraySlice<UInt8> { bytes[byte..<byte + Int(value(.id))] }
    var at: Int64 { value(.at) }
    var key: Int { Int(value(.key)) }
    var dialect: Int { Int(value(.dialect)) }
    var endpoint: Int { Int(value(.endpoint)) }
    var model: Int? { place(.model) }
    var servedModel: Int? { place(.servedModel) }
    var upstream: Int? { place(.upstream) }
    var status: Int { Int(value(.status)) }
    var error: Int? { place(.error) }
    var isStreaming: Bool { value(.isStreaming) == 1 }
    var wait: Int64 { value(.wait) }
    var firstToken: Int64? { known(.firstToken) }
    var total: Int64 { value(.total) }
    var usage: RecordedUsage { RecordedUsage(numbers: numbers, number: number + Field.count) }
    var cost: NanoDollars? { known(.cost) }
    var rescuedFrom: Int? { place(.rescuedFrom) }
    var fallback: Int? { place(.fallback) }
    var chargedTokens: Int64 { value(.chargedTokens) }
    var chargedCost: NanoDollars { value(.chargedCost) }
    var attemptCount: Int { Int(value(.attempts)) }

    /// - Parameter index: from 0.
    func attempt(_ index: Int) -> RecordedAttempt {
        RecordedAttempt(
            numbers: numbers, number: number + Self.size + index * RecordedAttempt.size)
    }

    /// Oracle's id of that attempt.
    func opcRequestID(ofAttempt index: Int) -> ArraySlice<UInt8>? {
        guard let count = attempt(index).opcRequestIDCount else { return nil }
        var start = byte + Int(value(.id))
        for earlier in 0..<index { start += Int(attempt(earlier).opcRequestIDCount ?? 0) }
        return bytes[start..<start + Int(count)]
    }
}

/// The same of an attempt.
struct RecordedAttempt {
    fileprivate let numbers: [Int64]
    fileprivate let number: Int

    enum Field: Int {
        case number, at, upstream, model, isModelListed, region, outcome, status, opcRequestID, firstToken, total, cost

        static var count: Int { Self.cost.rawValue + 1 }
    }
    static var size: Int { Field.count + RecordedUsage.size }

    private func value(_ field: Field) -> Int64 { numbers[number + field.rawValue] }
    private func known(_ field: Field) -> Int64? {
        let value = value(field)
        return value == RecordedEntry.nothing ? nil : value
    }

    var ordinal: Int64 { value(.number) }
    var at: Int64 { value(.at) }
    var upstream: Int { Int(value(.upstream)) }
    var model: Int { Int(value(.model)) }
    var isModelListed: Bool { value(.isModelListed) == 1 }
    var region: Int? { known(.region).map { Int($0) } }
    var outcome: Int { Int(value(.outcome)) }
    var status: Int64? { known(.status) }
    fileprivate var opcRequestIDCount: Int64? { known(.opcRequestID) }
    var firstToken: Int64? { known(.firstToken) }
    var total: Int64 { value(.total) }
    var usage: RecordedUsage { RecordedUsage(numbers: numbers, number: number + Field.count) }
    var cost: NanoDollars? { known(.cost) }
}

/// The usage of either.
struct RecordedUsage {
    fileprivate let numbers: [Int64]
    fileprivate let number: Int

    enum Field: Int {
        case truth, prompt, completion, cached, cacheWrites, reasoning, charactersIn, charactersOut
    }
    static var size: Int { Field.charactersOut.rawValue + 1 }

    private func known(_ field: Field) -> Int64? {
        let value = numbers[number + field.rawValue]
        return value == RecordedEntry.nothing ? nil : value
    }

    var truth: UsageTruth { known(.truth).flatMap { UsageTruth(rawValue: Int($0)) } ?? .unknown }
    var prompt: Int64? { known(.prompt) }
    var completion: Int64? { known(.completion) }
    var cached: Int64? { known(.cached) }
    var cacheWrites: Int64? { known(.cacheWrites) }
    var reasoning: Int64? { known(.reasoning) }
    var charactersIn: Int64? { known(.charactersIn) }
    var charactersOut: Int64? { known(.charactersOut) }
}
