/// How far the proxy goes to bring an answer to its end that an upstream has broken off. The raw values are those of the setting and of `x-ociai-rescue`.
package enum RescueMode: String, Comparable, Sendable, CaseIterable {
    case off
    /// Another upstream is asked the same, and goes on when it has repeated what the client knows.
    case verified
    /// Models that take a prefill go on behind what the client knows.
    case `continue`

    private var rank: Int { self == .off ? 0 : self == .verified ? 1 : 2 }
    package static func < (left: RescueMode, right: RescueMode) -> Bool { left.rank < right.rank }
}

/// What becomes of streams that break off.
package struct RescueSettings: Sendable, Equatable {
    package var mode = RescueMode.verified
    /// For all rescues of a request together.
    package var timeout = Duration.seconds(20)
    /// `[RESCUE]`: by the names of the models, as clients write them.
    package var models: [String: RescueMode] = [:]

    package init() {}
}
