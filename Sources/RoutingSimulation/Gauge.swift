/// Measures what is sent against a hidden ceiling.
struct Gauge {
    private let ceiling: Ceiling
    private var inFlight = 0
    /// What would be taken at once: a second's worth at most.
    private var credit: Double
    private var creditedAt = Duration.zero

    init(_ ceiling: Ceiling) {
        self.ceiling = ceiling
        credit = ceiling.value(inSecond: 0)
    }

    /// - Returns: whether there is room for one more, which has to be given back.
    mutating func take(at now: Duration) -> Bool {
        let value = ceiling.value(inSecond: Int(now.components.seconds))
        switch ceiling.measure {
        case .inFlight:
            guard Double(inFlight + 1) <= value else { return false }
        case .perSecond:
            credit = min(credit + value * (now - creditedAt).inSeconds, max(value, 1))
            creditedAt = now
            guard credit >= 1 else { return false }
        }
        inFlight += 1
        credit -= 1
        return true
    }

    mutating func giveBack() { inFlight -= 1 }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
