import ArgumentParser
import Proxy

/// `ociai-proxy ledger ...`.
enum LedgerCommand {
    static let usage = """
        ociai-proxy ledger: what is recorded about requests

        ociai-proxy ledger [summary]     all of it, added up; of the last 30 days, unless -from and -to say otherwise
        ociai-proxy ledger days          by day; also keys, models, accounts (and providers), failures
        ociai-proxy ledger export        the rows themselves, to standard output or a file
        ociai-proxy ledger reprice       works out costs anew, by the present prices

        The proxy that runs with the configuration is asked; when none runs, the ledger in its state_dir is read.

          -from TIME       from this moment on: 2026-11-01, or RFC 3339
          -to TIME         before this moment
          -key NAME        of one key (not for export)
          -json            print what the proxy answers, for programs; of an export, the same as -format jsonl
          -format FORMAT   of an export: jsonl (the default) or csv
          -level LEVEL     of an export: request (the default), attempt or day
          -output PATH     of an export: the file is there when it is whole; - is standard output
          -since TIME      of reprice: costs from this moment on
        \(CommandOptions.usage)

        Columns: REQUESTS with a key; FAILED those among them that were answered by an error; LEFT whose client
        went away before the end; CALLS to upstreams, retries too; CACHED the part of TOKENS IN that came from
        a cache; UNPRICED requests whose cost is not known; FIRST TOKEN MS the mean time to the first token
        of streams, P50 and P99 the time that half of them, and 99 of 100, had it within. - is not known.
        """

    private static let tables = ["summary", "days", "keys", "models", "accounts", "failures"]

    private struct Table: ParsableArguments {
        @OptionGroup var options: CommandOptions
        @Flag(name: .oneOrTwoDashes("json")) var json = false
        @Option(name: .oneOrTwoDashes("from")) var from: String?
        @Option(name: .oneOrTwoDashes("to")) var to: String?
        @Option(name: .oneOrTwoDashes("key")) var key: String?
    }

    private struct Export: ParsableArguments {
        @OptionGroup var options: CommandOptions
        @Flag(name: .oneOrTwoDashes("json")) var json = false
        @Option(name: .oneOrTwoDashes("from")) var from: String?
        @Option(name: .oneOrTwoDashes("to")) var to: String?
        @Option(name: .oneOrTwoDashes("format")) var format: String?
        @Option(name: .oneOrTwoDashes("level")) var level: String?
        @Option(name: .oneOrTwoDashes("output")) var output: String?
    }

    private struct Repricing: ParsableArguments {
        @OptionGroup var options: CommandOptions
        @Flag(name: .oneOrTwoDashes("json")) var json = false
        @Option(name: .oneOrTwoDashes("since")) var since: String?
    }

    /// - Throws: `ExitError`; `Console.ReaderLeft`.
    static func run(_ arguments: [String]) async throws {
        let rest = Array(arguments.dropFirst())
        switch arguments.first {
        case "export": try await export(rest)
        case "reprice":
            let read = try Repricing.read(rest, of: "ledger reprice")
            if read.options.help { return try Console.print(usage + "\n") }
            guard let since = read.since else {
                throw Console.badUsage("-since is missing: say from when on", of: "ledger reprice")
            }
            try await ask(.reprice(since: since), read.options, asJSON: read.json) {
                try LedgerPage.repriced($0, at: now)
            }
        case let table? where tables.contains(table): try await show(table, rest)
        case let option? where option.hasPrefix("-"): try await show("summary", arguments)
        case nil: try await show("summary", [])
        case let table?:
            throw Console.badUsage(
                "there is no 'ledger \(table)': use \(tables.joined(separator: ", ")), export or reprice", of: "ledger")
        }
    }

    /// Seconds since 1970.
    private static var now: Int64 { TimeSource.system.wallMicroseconds() / 1_000_000 }

    private static func show(_ table: String, _ arguments: [String]) async throws {
        let read = try Table.read(arguments, of: "ledger")
        if read.options.help { return try Console.print(usage + "\n") }
        let call = OperatorCall.table(table, from: read.from, to: read.to, key: read.key)
        try await ask(call, read.options, asJSON: read.json) { [key = read.key] in
            try LedgerPage.table($0, of: key, at: now)
        }
    }

    private static func ask(
        _ call: OperatorCall, _ options: CommandOptions, asJSON: Bool,
        _ page: @escaping @Sendable ([UInt8]) throws -> String
    ) async throws {
        let calls = try options.calls()
        try await Interruption.run(waits: false) {
            try await calls.ask(call) { answer in
                let document = try await answer.document()
                try Console.print(asJSON ? KeysPage.document(document) : Array(try page(document).utf8))
                Console.tell(answer, isForPrograms: asJSON)
            }
        }
    }

    // MARK: Export

    private static func export(_ arguments: [String]) async throws {
        let read = try Export.read(arguments, of: "ledger export")
        if read.options.help { return try Console.print(usage + "\n") }
        if read.json, let format = read.format, format.lowercased() != "jsonl" {
            throw Console.badUsage("-json and -format \(format) are two formats: use one", of: "ledger export")
        }
        let call = OperatorCall.export(
            from: read.from, to: read.to, format: read.json ? "jsonl" : read.format, level: read.level)
        let calls = try read.options.calls()
        let output = read.output
        try await Interruption.run(waits: false) {
            guard let output, output != "-" else {
                return try await calls.ask(call) { answer in
                    while let piece = try await answer.piece() { try Console.print(piece) }
                    Console.tell(answer, isForPrograms: true)
                }
            }
            // As the user who has typed it, whose ledger it may be; when all goes well, and not before, it takes its name.
            let file = try ExportFile(output)
            try await calls.ask(call) { answer in
                while let piece = try await answer.piece() { try file.add(piece) }
                Console.tell(answer, isForPrograms: true)
            }
            try file.finish()
        }
    }
}
