import Synchronization

/// Tells what goes by the configuration of the moment from what goes by an older one.
final class ConfigurationReadings: Sendable {
    private let last = Atomic(0)

    /// Begins another one.
    ///
    /// - Returns: whether it is still the last.
    func next() -> @Sendable () -> Bool {
        let number = last.wrappingAdd(1, ordering: .acquiringAndReleasing).newValue
        return { [self] in last.load(ordering: .acquiring) == number }
    }
}
