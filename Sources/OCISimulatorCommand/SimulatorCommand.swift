import ArgumentParser
import Dispatch
import FoundationEssentials
import OCISimulator

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// `oci-simulator`: OCI Generative AI on this machine, with ready configurations for the proxy.
@main
struct SimulatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "oci-simulator",
        abstract: "Plays OCI Generative AI for any number of accounts, and checks every signature.",
        discussion: """
            Faults, pacing, records and statistics: http://ADDR:PORT/__control/ (faults, pacing, listeners, tokens, \
            keys, openai, reset, requests, stats). One dash and two dashes both work.
            """)

    @Option(name: .either("accounts"), help: "Number of accounts.")
    var accounts = 1

    @Option(
        name: .either("write-config"),
        help: "Directory for account_N.pem, config.conf and multi_config.conf. Keys that are there are used again.")
    var writeConfig: String?

    @Option(name: .either("port"), help: "Port; 0: the system chooses.")
    var port = 0

    @Option(name: .either("host"), help: "Address to listen on.")
    var host = "127.0.0.1"

    @Option(name: .either("regions"), help: "Regions of the accounts in turn, comma separated.")
    var regions = "us-chicago-1"

    @Option(
        name: .either("api-keys"),
        help: "So many accounts, counted from the last, use a Generative AI API key in place of a signature.")
    var apiKeys = 0

    @Flag(name: .either("port-per-account"), help: "Give each account a port of its own beside the common one.")
    var portPerAccount = false

    @Option(name: .either("events"), help: "Text events per answer, in place of an echo of the question.")
    var events: Int?

    @Option(name: .either("text"), help: "Text of each event with -events, else the whole answer.")
    var text: String?

    @Option(name: .either("interval-ms"), help: "Milliseconds between two text events.")
    var intervalMilliseconds = 0

    @Option(name: .either("first-delay-ms"), help: "Milliseconds before the first byte of an answer.")
    var firstDelayMilliseconds = 0

    @Option(name: .either("page-size"), help: "Models on a page of the listing.")
    var pageSize = 10

    func validate() throws {
        guard (1...1000).contains(accounts) else { throw ValidationError("-accounts is a number from 1 to 1000.") }
        guard (0...accounts).contains(apiKeys) else {
            throw ValidationError("-api-keys is a number from 0 to that of the accounts.")
        }
        guard (0...65535).contains(port) else { throw ValidationError("-port is a number from 0 to 65535.") }
        guard events.map({ (0...100_000).contains($0) }) ?? true else {
            throw ValidationError("-events is a number from 0 to 100000.")
        }
        guard intervalMilliseconds >= 0, firstDelayMilliseconds >= 0 else {
            throw ValidationError("-interval-ms and -first-delay-ms are not negative.")
        }
        guard pageSize > 0 else { throw ValidationError("-page-size is at least 1.") }
        guard !regionList.isEmpty else { throw ValidationError("-regions names at least one region.") }
    }

    private var regionList: [String] { regions.split(separator: ",").map(String.init) }

    func run() async throws {
        let files = writeConfig.map(ConfigurationFiles.init)
        var accounts =
            if let files { try files.accounts(self.accounts, regions: regionList) } else {
                try SimulatedAccount.generate(self.accounts, regions: regionList)
            }
        for index in accounts.indices.suffix(apiKeys) { accounts[index] = try accounts[index].withOwnAPIKey() }
        var configuration = SimulatorConfiguration(accounts: accounts)
        configuration.host = host
        configuration.port = port
        configuration.listenerPerAccount = portPerAccount
        configuration.modelPageSize = pageSize
        // A long run must not fill the memory.
        configuration.recordLimit = 1000
        configuration.pacing = Pacing(
            events: events, text: text, interval: .milliseconds(intervalMilliseconds),
            firstDelay: .milliseconds(firstDelayMilliseconds))
        let simulator: OCISimulator
        do {
            simulator = try await OCISimulator.start(configuration)
        } catch {
            Self.printError("oci-simulator: cannot listen on \(host):\(port): \(error). Choose another -port or -host.")
            throw ExitCode(69)
        }
        var line = "oci-simulator: \(reachable(simulator.endpoint)), \(accounts.count) account(s)"
        if let files {
            let paths = try files.write(accounts) { reachable(simulator.endpoint(of: $0.id)) }
            line += ", wrote \(paths.joined(separator: " and "))"
        }
        print(line)
        // A pipe is block-buffered, and whoever started us waits for this line.
        fflush(nil)
        await Self.terminationSignal()
        try await simulator.stop()
    }

    /// An address that a client can use when the simulator listens on all.
    private func reachable(_ endpoint: String) -> String {
        let everywhere = "http://0.0.0.0:"
        guard endpoint.hasPrefix(everywhere) else { return endpoint }
        return "http://127.0.0.1:" + endpoint.dropFirst(everywhere.count)
    }

    private static func printError(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        // Nothing can be done when standard error is closed.
        _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    /// Returns at SIGTERM or SIGINT.
    private static func terminationSignal() async {
        let (signals, continuation) = AsyncStream<Void>.makeStream()
        let sources = [SIGTERM, SIGINT].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { continuation.finish() }
            source.resume()
            return source
        }
        for await _ in signals {}
        for source in sources { source.cancel() }
    }
}

extension NameSpecification {
    /// `-name` and `--name`.
    fileprivate static func either(_ name: String) -> NameSpecification {
        [.customLong(name), .customLong(name, withSingleDash: true)]
    }
}
