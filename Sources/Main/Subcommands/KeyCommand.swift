import ArgumentParser
import Proxy

/// `ociai-proxy key ...`.
enum KeyCommand {
    static let usage = """
        ociai-proxy key: the client keys of the proxy

        ociai-proxy key list [-json]                    all keys, those of the configuration file too
        ociai-proxy key create NAME [LIMITS] [-json]    makes a key and prints it, this once
        ociai-proxy key rotate NAME [-grace 1h] [-json] makes another key of that name and prints it
        ociai-proxy key revoke NAME [-json]             the key works no more, at once
        ociai-proxy key history [NAME] [-json]          who has made, rotated and revoked keys, and when

        The proxy that runs with the configuration is asked; when none runs, the ledger in its state_dir is
        changed. ociai-proxy key create -help lists the limits.

          -grace TIME      how long the key before works on: 1h, 30d (24h; 0 ends it now). Until then key list
                           shows it as FORMER WORKS UNTIL
          -json            print what the proxy answers, for programs
        \(CommandOptions.usage)
        """

    static let createUsage = """
        ociai-proxy key create NAME: makes a client key. The key alone goes to standard output.

          -role ROLE             client (the default), viewer or admin
          -expires TIME          2027-01-31, or RFC 3339
          -models LIST           regular expressions with commas between them; a model must match one
          -rpm N                 requests a minute
          -tpm N                 tokens a minute
          -max-concurrency N     requests at once
          -budget-hard LIST      refused beyond: "5 USD per day", "90000 tokens per hour", "20 USD in all";
                                 several with commas between them
          -budget-soft LIST      told of beyond
          -json                  print what the proxy answers, for programs
        \(CommandOptions.usage)
        """

    private struct Plain: ParsableArguments {
        @OptionGroup var options: CommandOptions
        @Flag(name: .oneOrTwoDashes("json")) var json = false
    }

    private struct Named: ParsableArguments {
        @OptionGroup var options: CommandOptions
        @Flag(name: .oneOrTwoDashes("json")) var json = false
        @Argument var name: String?
    }

    private struct Rotation: ParsableArguments {
        @OptionGroup var options: CommandOptions
        @Flag(name: .oneOrTwoDashes("json")) var json = false
        @Option(name: .oneOrTwoDashes("grace")) var grace: String?
        @Argument var name: String?
    }

    private struct Creation: ParsableArguments {
        @OptionGroup var options: CommandOptions
        @Flag(name: .oneOrTwoDashes("json")) var json = false
        @Option(name: .oneOrTwoDashes("role")) var role: String?
        @Option(name: .oneOrTwoDashes("expires")) var expires: String?
        @Option(name: .oneOrTwoDashes("models")) var models: String?
        @Option(name: .oneOrTwoDashes("rpm")) var rpm: String?
        @Option(name: .oneOrTwoDashes("tpm")) var tpm: String?
        @Option(name: .oneOrTwoDashes("max-concurrency")) var maxConcurrency: String?
        @Option(name: .oneOrTwoDashes("budget-hard")) var budgetHard: String?
        @Option(name: .oneOrTwoDashes("budget-soft")) var budgetSoft: String?
        @Argument var name: String?
    }

    /// What is printed of a document.
    private typealias Page = @Sendable ([UInt8]) throws -> Void

    /// - Throws: `ExitError`; `Console.ReaderLeft`.
    static func run(_ arguments: [String]) async throws {
        let rest = Array(arguments.dropFirst())
        switch arguments.first {
        case "list":
            let read = try Plain.read(rest, of: "key list")
            if read.options.help { return try Console.print(usage + "\n") }
            try await ask(.keys, read.options, asJSON: read.json) { document in
                try Console.print(KeysPage.list(document, at: TimeSource.system.wallMicroseconds() / 1_000_000))
            }
        case "create":
            let read = try Creation.read(rest, of: "key create")
            if read.options.help { return try Console.print(createUsage + "\n") }
            let limits = [
                ("role", read.role), ("expires", read.expires), ("models", read.models), ("rpm", read.rpm),
                ("tpm", read.tpm), ("max_concurrency", read.maxConcurrency), ("budget_hard", read.budgetHard),
                ("budget_soft", read.budgetSoft),
            ]
            let call = OperatorCall.createKey(try name(read.name, of: "key create"), limits)
            try await ask(call, read.options, asJSON: read.json, show)
        case "rotate":
            let read = try Rotation.read(rest, of: "key rotate")
            if read.options.help { return try Console.print(usage + "\n") }
            let call = OperatorCall.rotateKey(try name(read.name, of: "key rotate"), grace: read.grace)
            try await ask(call, read.options, asJSON: read.json, show)
        case "revoke":
            let read = try Named.read(rest, of: "key revoke")
            if read.options.help { return try Console.print(usage + "\n") }
            try await ask(.revokeKey(try name(read.name, of: "key revoke")), read.options, asJSON: read.json) {
                try Console.print(KeysPage.revoked($0))
            }
        case "history":
            let read = try Named.read(rest, of: "key history")
            if read.options.help { return try Console.print(usage + "\n") }
            if let name = read.name, name.isEmpty {
                throw Console.badUsage("the name of the key is empty", of: "key history")
            }
            try await ask(.keyHistory(read.name), read.options, asJSON: read.json) {
                try Console.print(KeysPage.history($0))
            }
        case "-help", "--help": try Console.print(usage + "\n")
        case nil: throw Subcommand.Missing(usage: usage)
        case let action?:
            throw Console.badUsage(
                "there is no 'key \(action)': the action (list, create, rotate, revoke, history) comes first", of: "key"
            )
        }
    }

    /// The key alone to standard output, so that a script can keep it.
    private static let show: Page = { document in
        let (key, note) = try KeysPage.shown(document)
        Console.note(note)
        try print(shown: key + "\n")
    }

    private static func ask(
        _ call: OperatorCall, _ options: CommandOptions, asJSON: Bool, _ page: @escaping Page
    ) async throws {
        let calls = try options.calls()
        try await Interruption.run(waits: call.changesKeys) {
            try await calls.ask(call) { answer in
                let document = try await answer.document()
                if asJSON {
                    let text = String(decoding: try KeysPage.document(document), as: UTF8.self)
                    if call.changesKeys { try print(shown: text) } else { try Console.print(text) }
                } else {
                    try page(document)
                }
                Console.tell(answer, isForPrograms: asJSON)
            }
        }
    }

    /// A key that nobody has seen is of no use: that is not to pass unsaid.
    private static func print(shown text: String) throws {
        do {
            try Console.print(text)
        } catch is Console.ReaderLeft {
            throw ExitError(
                .refused,
                "standard output was closed before the answer was written; if it had a key in it, rotate that key")
        }
    }

    private static func name(_ name: String?, of command: String) throws -> String {
        guard let name, !name.isEmpty else { throw Console.badUsage("the name of the key is missing", of: command) }
        return name
    }
}
