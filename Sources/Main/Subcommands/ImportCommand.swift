import ArgumentParser
import Proxy

#if Import
    import ProxyImport
#endif

/// `ociai-proxy import ...`.
enum ImportCommand {
    static let usage = """
        ociai-proxy import: a configuration of another program, as one of this proxy

        ociai-proxy import litellm FILE [-o OUT]       LiteLLM's config.yaml
        ociai-proxy import oci-gateway FILE [-o OUT]   models.yaml of the OCI GenAI access gateway; or its config.py
                                                       or .env alone, where it had no models.yaml

        The configuration goes to standard output or to OUT, the report to standard error: a line for each key of FILE,
        taken, changed or dropped, and what is left to do. Keys and tokens do not stand in either: the configuration
        refers to variables of the environment. Nobody is asked, and FILE stays as it is.

          -o OUT           a new file, for its owner alone (mode 600)
          -force           OUT may be there, and is replaced
          -settings FILE   of oci-gateway: its config.py or .env, for port, keys and kind of credentials
          -help            print this help

        Exit codes: 0 imported, 1 OUT exists or cannot be written, 64 bad usage, 78 FILE cannot be read, or nothing in
        it is an upstream that the proxy could ask.
        """

    private struct Words: ParsableArguments {
        @Option(name: [.customShort("o"), .customLong("output", withSingleDash: true), .customLong("output")])
        var output: String?
        @Flag(name: .oneOrTwoDashes("force")) var force = false
        @Option(name: .oneOrTwoDashes("settings")) var settings: String?
        @Flag(name: .oneOrTwoDashes("help")) var help = false
        @Argument var file: String?
    }

    #if Import
        /// - Throws: `ExitError`; `Console.ReaderLeft`.
        static func run(_ arguments: [String]) throws {
            guard let name = arguments.first else { throw Subcommand.Missing(usage: usage) }
            guard !["-help", "--help"].contains(name) else { return try Console.print(usage + "\n") }
            guard let source = ImportSource(rawValue: name) else {
                let known = ImportSource.allCases.map(\.rawValue).joined(separator: " or ")
                throw Console.badUsage("there is no 'import \(name)': use \(known)", of: "import")
            }
            let words = try Words.read(Array(arguments.dropFirst()), of: "import \(name)")
            if words.help { return try Console.print(usage + "\n") }
            guard let file = words.file, !file.isEmpty else {
                throw Console.badUsage("the file to import is missing", of: "import \(name)")
            }
            guard words.settings == nil || source == .ociGateway else {
                throw Console.badUsage("-settings is for oci-gateway", of: "import \(name)")
            }
            try run(source, file, words)
        }

        private static func run(_ source: ImportSource, _ file: String, _ words: Words) throws {
            let isSettings =
                source == .ociGateway && words.settings == nil && (file.hasSuffix(".py") || file.hasSuffix(".env"))
            let names = isSettings ? SourceNames("", settings: file) : SourceNames(file, settings: words.settings ?? "")
            let bytes = try read(file)
            if bytes.count > 1 << 20, Console.isWatched {
                Console.note("\(file): \(bytes.count >> 20) MiB are read; some seconds ...\n")
            }
            let settings = try isSettings ? bytes : words.settings.map(read)
            let result: ImportResult
            do {
                result = try ConfigurationImport.read(source, file: isSettings ? nil : bytes, settings: settings)
            } catch {
                throw ExitError(.badConfiguration, error.text(names))
            }
            guard let configuration = result.configuration.map({ Array($0.utf8) }) else {
                tell(result.report, names)
                throw ExitError(
                    .badConfiguration,
                    "\(file): nothing in it is an upstream that the proxy could ask; the report says why")
            }
            if let output = words.output, output != "-" {
                // The source is what is left when an import was not what somebody wanted.
                for source in [file, words.settings].compactMap(\.self) where isSame(output, source) {
                    throw Console.badUsage("-o \(output) is the file that is imported: name another one", of: "import")
                }
                let target = try OutputFile(output, mode: 0o600, mayReplace: words.force)
                try target.write(configuration)
                try target.finish()
            } else {
                try Console.print(configuration)
            }
            tell(result.report, names)
            if configuration.count > ConfigurationFile.largest {
                Console.note(
                    "the configuration has more than \(ConfigurationFile.largest >> 20) MiB, which the proxy does not read: import the models that are needed\n"
                )
            }
            let place = words.output.flatMap { $0 == "-" ? nil : $0 } ?? "FILE"
            Console.note("then: ociai-proxy -config \(place) -check\n")
        }

        private static func isSame(_ one: String, _ two: String) -> Bool {
            SystemCall.resolved(one).map { $0 == SystemCall.resolved(two) } ?? false
        }

        private static func tell(_ report: ImportReport, _ names: SourceNames) {
            Console.note(report.lines(names).joined(separator: "\n") + "\n")
        }

        /// More than any configuration has, and less than would fill the memory.
        private static let largest = 64 << 20

        private static func read(_ path: String) throws -> [UInt8] {
            do {
                return try RegularFile.read(path, upTo: largest).bytes
            } catch {
                throw switch error {
                case .system(let code):
                    ExitError(.badConfiguration, "\(path) cannot be read: \(SystemCall.message(code)); check the path")
                case .directory: ExitError(.badConfiguration, "\(path) is a directory; name a file in it")
                case .other(let kind): ExitError(.badConfiguration, "\(path) is \(kind); name a regular file")
                case .tooLarge:
                    ExitError(.badConfiguration, "\(path) is larger than \(largest >> 20) MiB; name the configuration")
                }
            }
        }
    #else
        /// - Throws: `ExitError`.
        static func run(_ arguments: [String]) throws {
            throw ExitError(
                .badUsage, "this program is built without the import; build it with the package's trait Import")
        }
    #endif
}
