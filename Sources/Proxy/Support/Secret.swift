/// A text that must never reach a log, an error, a report or a debugger's dump by accident.
///
/// Printing, interpolating, dumping or mirroring shows `***`; only `reveal()` gives the text, so every use of it is
/// found by one search.
package struct Secret: Sendable, Hashable {
    private let value: String

    package init(_ value: String) {
        self.value = value
    }

    /// The text itself. For the comparison with a client's key or for opening a key file; never for a message.
    package func reveal() -> String { value }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "***" }
    package var debugDescription: String { "***" }
    package var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}
