import ArgumentParser
import Proxy

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The command line: arguments in, exit codes out, nothing else.
struct Arguments: ParsableArguments {
    @Option(name: .oneOrTwoDashes("config"), help: ArgumentHelp("The configuration file.", valueName: "path"))
    var config: String?

    @Option(
        name: .oneOrTwoDashes("port"),
        help: ArgumentHelp("The port to listen on; 0 selects a free port. Overrides the file.", valueName: "n"))
    var port: Int?

    @Option(
        name: .oneOrTwoDashes("host"),
        help: ArgumentHelp("The address to listen on. Overrides the file.", valueName: "addr"))
    var host: String?

    @Flag(
        name: .oneOrTwoDashes("multi-account"),
        help: "Expect [ACCOUNT_n] sections; the default file is multi_config.conf.")
    var multiAccount = false

    @Flag(name: .oneOrTwoDashes("check"), help: "Check the configuration, print what would run, and exit.")
    var check = false

    @Flag(name: .oneOrTwoDashes("version"), help: "Print the version and exit.")
    var version = false

    @Flag(name: .oneOrTwoDashes("help"), help: "Print this help and exit.")
    var help = false

    func validate() throws {
        if let port, !(0...65535).contains(port) {
            throw ValidationError("invalid port \(port): must be 0 to 65535")
        }
        if let host, host.isEmpty { throw ValidationError("-host is empty: must be an address or a host name") }
    }

    static let usage = """
        ociai-proxy: an OpenAI-compatible proxy in front of Oracle OCI Generative AI

        ociai-proxy [-config PATH] [-port N] [-host ADDR] [-multi-account] [-check] [-version] [-help]

          -config PATH     the configuration file (default: config.conf, or multi_config.conf with
                           -multi-account; config.json when the default is missing)
          -port N          the port to listen on, 0 for a free one; overrides the file
          -host ADDR       the address to listen on; overrides the file
          -multi-account   expect [ACCOUNT_n] sections
          -check           check the configuration, print what would run, exit 0 or 78
          -version         print the version
          -help            print this help

        Commands, each with -help:

        \(Subcommand.usage)

        Exit codes: 0 clean stop, 1 refused (commands), 64 bad usage, 69 cannot bind or cannot be reached,
        70 internal error, 78 bad configuration.
        """
}

@main
enum Command {
    static func main() async {
        // A reader that goes away (-check | head, a client) must not end the process.
        signal(SIGPIPE, SIG_IGN)

        let words = Array(CommandLine.arguments.dropFirst())
        if let (command, arguments) = Subcommand.named(in: words) {
            await end { try await command.run(arguments) }
        }
        let arguments: Arguments
        do {
            arguments = try Arguments.parse(words)
        } catch {
            let reason =
                Arguments.message(for: error).split(separator: "\n").first.map(String.init) ?? "unknown arguments"
            end(.badUsage, "ociai-proxy: \(reason.trimmingSuffix(while: ".")); -help lists the options")
        }
        if arguments.help { end(.cleanStop, Arguments.usage, to: StandardStream.output) }
        if arguments.version { end(.cleanStop, "ociai-proxy \(ProxyVersion.current)", to: StandardStream.output) }

        let startup = Startup(
            .init(
                config: arguments.config, host: arguments.host, port: arguments.port,
                multiAccount: arguments.multiAccount),
            environment: ProcessEnvironment.ofService, workingDirectory: ProcessEnvironment.workingDirectory,
            ledger: OwnLedger.opener)
        if arguments.check {
            let (lines, code) = await startup.check()
            end(
                code, lines.joined(separator: "\n"),
                to: code == .cleanStop ? StandardStream.output : StandardStream.error)
        }
        await end { try await serve(startup) }
    }

    /// Ends the process with what comes of `work`.
    private static func end(with work: @Sendable () async throws -> Void) async -> Never {
        do {
            try await work()
            exit(Proxy.ExitCode.cleanStop.rawValue)
        } catch let error as ExitError {
            end(error.code, "ociai-proxy: \(error)")
        } catch let error as Subcommand.Missing {
            end(.badUsage, error.usage)
        } catch {
            end(
                .internalError,
                "ociai-proxy: internal error: \(error); please report it together with the preceding log lines"
            )
        }
    }

    /// Serves until the process is told to stop.
    ///
    /// - Throws: `ExitError` when it cannot begin.
    private static func serve(_ startup: Startup) async throws {
        try ProcessHardening.checkAddressSpace()
        ProcessHardening.forbidDumps()
        AllocatorPolicy.apply()
        let means = ProcessMeans(
            descriptors: OpenFileLimit.raise(), trim: { AllocatorPolicy.trim() }, engine: OwnEngine.maker)
        let proxy = try await startup.prepare(means)
        // Before anybody is told that the process is ready: a signal that nobody waits for ends it.
        let stops = await StopSignals()
        let hangups = await HangupSignal()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await stops.watch(proxy.output) }
            tasks.addTask { await hangups.watch() }
            defer { tasks.cancelAll() }
            try await proxy.run(ProcessOrders(stops: stops.requests, reloads: hangups.requests))
        }
    }

    private static func end(_ code: Proxy.ExitCode, _ text: String, to stream: Int32 = StandardStream.error) -> Never {
        StandardStream.write(text + "\n", to: stream)
        exit(code.rawValue)
    }
}

extension String {
    fileprivate func trimmingSuffix(while character: Character) -> String {
        var text = self
        while text.last == character { text.removeLast() }
        return text
    }
}
