import Proxy

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where commands print.
enum Console {
    /// Whoever reads standard output has gone: there is nothing left to do, and nothing wrong.
    struct ReaderLeft: Error {}

    /// Prints what was asked for.
    ///
    /// - Throws: `ReaderLeft`; `ExitError` when it cannot be written.
    static func print(_ bytes: [UInt8]) throws {
        guard !StandardStream.write(bytes.span, to: StandardStream.output) else { return }
        guard errno != EPIPE else { throw ReaderLeft() }
        throw ExitError(.refused, "standard output cannot be written: \(SystemCall.message(errno))")
    }

    static func print(_ text: String) throws { try print(Array(text.utf8)) }

    /// Prints what a person may want to know besides.
    static func note(_ text: String) { StandardStream.write(text, to: StandardStream.error) }

    /// Says who has answered. Programs need not be told.
    static func tell(_ answer: OperatorAnswer, isForPrograms: Bool) {
        if !isForPrograms || isWatched { note("Asked: \(answer.origin).\n") }
    }

    /// Somebody looks at what is noted.
    static var isWatched: Bool { isatty(StandardStream.error) == 1 }

    /// - Parameter reason: its first line counts.
    static func badUsage(_ reason: String, of command: String) -> ExitError {
        var line = reason.split(separator: "\n").first.map(String.init) ?? "unknown arguments"
        while line.last == "." { line.removeLast() }
        return ExitError(.badUsage, "\(line); ociai-proxy \(command) -help lists the options")
    }
}
