/// What the log says, how and where.
package struct LoggingSettings: Sendable, Equatable {
    package enum Level: String, Sendable, CaseIterable { case trace, debug, info, notice, warning, error, critical }
    package enum Format: String, Sendable, CaseIterable { case text, json }

    package var level = Level.info
    /// Nil is standard error.
    package var file: String?
    package var format = Format.text

    package init() {}
}
