/// Seconds as the configuration writes them.
enum Seconds {
    /// From a millisecond to a week; nil beyond.
    static func text(_ seconds: Double) -> String? {
        guard seconds >= 0.001, seconds <= 604_800 else { return nil }
        if seconds == seconds.rounded() { return "\(Int(seconds))s" }
        return "\(Int((seconds * 1000).rounded()))ms"
    }
}
