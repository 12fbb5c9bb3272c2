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
        case request, answer, json, events, configuration, schema, log

        func run(_ bytes: [UInt8]) {
            switch self {
            case .request: RequestTarget.run(bytes)
            case .answer: AnswerTarget.run(bytes)
            case .json: JSONTarget.run(bytes)
            case .events: EventsTarget.run(bytes)
            case .configuration: ConfigurationTarget.run(bytes)
            case .schema: SchemaTarget.run(bytes)
            case .log: LogTarget.run(bytes)
            }
        }
    }

    /// The function that libFuzzer calls has no context. Set once, before the first call.
    nonisolated(unsafe) fileprivate static var target = Target.json

    static func main() {
        let names = Target.allCases.map(\.rawValue)
        guard CommandLine.argc > 1, let argument = CommandLine.unsafeArgv[1], let target = Target(rawValue: String(cString: argument)) else {
            print("usage: Fuzz TARGET [FLAG...] [DIRECTORY or FILE...]\nTARGET: \(names.joined(separator: ", "))")
            exit(64)
        }
        Self.target = target
        // libFuzzer sees its own name, and what stands behind the target's.
        CommandLine.unsafeArgv[1] = CommandLine.unsafeArgv[0]
        var (count, arguments) = (CommandLine.argc - 1, CommandLine.unsafeArgv + 1)
        let status = LLVMFuzzerRunDriver(&count, &arguments, test)
        exit(status)
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
