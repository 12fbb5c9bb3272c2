import LibFuzzer

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// `Fuzz TARGET` and what libFuzzer takes behind it: looks for bytes that make one of the readers break its promises.
@main struct Fuzz {
    /// What is tried, and what it promises.
    enum Target: String, CaseIterable {
        case request, answer, json, events, configuration, schema, log, words, dialect

        func run(_ bytes: [UInt8]) {
            switch self {
            case .request: RequestTarget.run(bytes)
            case .answer: AnswerTarget.run(bytes)
            case .json: JSONTarget.run(bytes)
            case .events: EventsTarget.run(bytes)
            case .configuration: ConfigurationTarget.run(bytes)
            case .schema: SchemaTarget.run(bytes)
            case .log: LogTarget.run(bytes)
            case .words: WordsTarget.run(bytes)
            case .dialect: DialectTarget.run(bytes)
            }
        }
    }

    /// The function that libFuzzer calls has no context. Set once, before the first call.
    nonisolated(unsafe) fileprivate static var target = Target.json

    static func main() {
        let names = Target.allCases.map(\.rawValue)
        let argument = CommandLine.argc > 1 ? CommandLine.unsafeArgv[1].map { String(cString: $0) } : nil
        if let target = argument.flatMap(Target.init) {
            Self.target = target
            setenv(variable, target.rawValue, 1)
            // libFuzzer sees its own name, and what stands behind the target's.
            CommandLine.unsafeArgv[1] = CommandLine.unsafeArgv[0]
            exit(run(CommandLine.argc - 1, CommandLine.unsafeArgv + 1))
        }
        guard argument?.hasPrefix("-") == true,
            let target = getenv(variable).flatMap({ Target(rawValue: String(cString: $0)) })
        else {
            print("usage: Fuzz TARGET [FLAG...] [DIRECTORY or FILE...]\nTARGET: \(names.joined(separator: ", "))")
            exit(64)
        }
        Self.target = target
        exit(run(CommandLine.argc, CommandLine.unsafeArgv))
    }

    /// Where libFuzzer starts the program anew (-merge, -minimize_crash, -fork), it knows the flags alone.
    private static let variable = "FUZZ_TARGET"

    private static func run(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> CInt {
        var (count, arguments) = (count, arguments)
        return LLVMFuzzerRunDriver(&count, &arguments, test)
    }
}

/// The name is libFuzzer's, whose library does not link without it.
@c(LLVMFuzzerTestOneInput) func test(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    Fuzz.target.run(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

/// Ends the process, for libFuzzer to keep the bytes that have led here.
func expect(_ isAsPromised: Bool, _ promise: @autoclosure () -> String) {
    if !isAsPromised { fatalError(promise()) }
}
