/// The process's exit codes (but for 1 those of sysexits.h).
package enum ExitCode: Int32, Sendable {
    case cleanStop = 0
    /// The proxy has refused what a command asked of it, or its output could not be written.
    case refused = 1
    case badUsage = 64
    case cannotBind = 69
    case internalError = 70
    case badConfiguration = 78
}

/// Why the process ends without having served: one line, and the code.
package struct ExitError: Error, Sendable, CustomStringConvertible {
    package let code: ExitCode
    /// What is wrong, where, and how to mend it; one line.
    package let description: String

    package init(_ code: ExitCode, _ description: String) {
        self.code = code
        self.description = description
    }
}
