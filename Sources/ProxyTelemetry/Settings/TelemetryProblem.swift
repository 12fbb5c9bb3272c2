/// A variable of the environment that cannot be taken as it is.
package struct TelemetryProblem: Hashable, Sendable, CustomStringConvertible {
    /// Of the variable.
    package let name: String
    /// What it says, fit to be printed; nil when that may be a secret.
    package let value: String?
    /// What is wrong with it, what happens now, and how to mend it.
    package let text: String
    /// Because of it nothing is exported. Without, the variable counts as unset, as the specification says.
    package let turnsOff: Bool

    package init(name: String, value: String?, text: String, turnsOff: Bool = false) {
        self.name = name
        self.value = value.map { BoundedText.printable($0, toBytes: 100) }
        self.text = text
        self.turnsOff = turnsOff
    }

    /// In one line.
    package var description: String { "\(name)\(value.map { "='\($0)'" } ?? ""): \(text)" }
}
