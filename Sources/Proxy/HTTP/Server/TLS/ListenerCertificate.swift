import Synchronization

/// The pair that new connections are shown now. Connections of before keep theirs.
final class ListenerCertificate: Sendable {
    private let pair = Mutex<CertificatePair?>(nil)

    /// Nil while the listener speaks plain HTTP.
    var current: CertificatePair? { pair.withLock { $0 } }

    /// New connections are shown this one.
    func show(_ new: CertificatePair) { pair.withLock { $0 = new } }

    /// Shows `new` unless something else than `old` is shown by now.
    ///
    /// - Returns: whether it is.
    func show(_ new: CertificatePair, insteadOf old: CertificatePair) -> Bool {
        pair.withLock { pair in
            guard pair?.context === old.context else { return false }
            pair = new
            return true
        }
    }
}
