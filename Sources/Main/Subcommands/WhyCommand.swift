import ArgumentParser
import Proxy

/// `ociai-proxy why REQUEST-ID`.
enum WhyCommand {
    static let usage = """
        ociai-proxy why REQUEST-ID: why a request went where it went, and what became of it

        The id is the answer's header x-request-id, and request.id in the log. The proxy that runs with the configuration
        is asked; when none runs, the ledger in its state_dir is read.

          -json            print what the proxy answers, for programs
        \(CommandOptions.usage)
        """

    private struct Question: ParsableArguments {
        @OptionGroup var options: CommandOptions
        @Flag(name: .oneOrTwoDashes("json")) var json = false
        @Argument var id: String?
    }

    /// - Throws: `ExitError`; `Console.ReaderLeft`.
    static func run(_ arguments: [String]) async throws {
        let read = try Question.read(arguments, of: "why")
        if read.options.help { return try Console.print(usage + "\n") }
        guard let id = read.id else {
            throw Console.badUsage("the id of a request is missing", of: "why")
        }
        let calls = try read.options.calls()
        let asJSON = read.json
        try await Interruption.run(waits: false) {
            try await calls.ask(.why(id)) { answer in
                let document = try await answer.document()
                try Console.print(asJSON ? KeysPage.document(document) : Array(try StoryPage.text(document).utf8))
                Console.tell(answer, isForPrograms: asJSON)
            }
        }
    }
}
