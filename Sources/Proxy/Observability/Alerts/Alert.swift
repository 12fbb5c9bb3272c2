/// Something that an operator ought to be told of, wherever they are.
struct Alert: Equatable, Sendable {
    enum Kind: String, Sendable, CaseIterable {
        case budgetSoft = "budget_soft"
        case budgetHard = "budget_hard"
        case upstreamDown = "upstream_down"
        case allDown = "all_down"
        case modelRetiring = "model_retiring"
        case certificate, ledger

        /// It is about a client's key.
        var isOfKeys: Bool { self == .budgetSoft || self == .budgetHard }
    }

    var kind: Kind
    /// What it is about: a key, an upstream, a model, a file.
    var subject: String
    /// A sentence for people; never a secret.
    var message: String
    /// For programs, by their names.
    var figures: [(name: StaticString, value: Figure)] = []

    enum Figure: Equatable, Sendable {
        case number(Int)
        case text(String)
    }

    static func == (one: Alert, other: Alert) -> Bool {
        one.kind == other.kind && one.subject == other.subject && one.message == other.message
            && one.figures.elementsEqual(other.figures) {
                $0.name.description == $1.name.description && $0.value == $1.value
            }
    }
}

/// One that has been raised.
struct RaisedAlert: Equatable, Sendable {
    var alert: Alert
    /// Seconds since 1970.
    var at: Int64
    /// How often it has been put back, since nobody took it.
    var rounds = 0

    /// What a webhook gets.
    var document: [UInt8] {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.bytes
    }

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("type")
        writer.string(alert.kind.rawValue)
        writer.key("subject")
        writer.string(alert.subject)
        writer.key("at")
        writer.string(RFC3339.format(at))
        writer.key("message")
        writer.string(alert.message)
        for (name, value) in alert.figures {
            writer.key(name)
            switch value {
            case .number(let number): writer.int(number)
            case .text(let text): writer.string(text)
            }
        }
        writer.endObject()
    }
}
