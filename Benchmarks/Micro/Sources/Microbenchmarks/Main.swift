import Foundation

/// Prints one JSON object a benchmark: its name, and what one operation takes.
@main
struct Main {
    /// - Parameter arguments: the path of an RSA key in PEM.
    static func main() async throws {
        guard CommandLine.arguments.count == 2 else {
            FileHandle.standardError.write(Data("usage: microbenchmarks KEY.pem\n".utf8))
            exit(2)
        }
        let key = try [UInt8](Data(contentsOf: URL(filePath: CommandLine.arguments[1])))
        let array = try await Benchmark("array") { for size in 1...$0 { keep([UInt8](repeating: 0, count: size)) } }
            .measure()
        guard array.allocations == 1 else {
            FileHandle.standardError.write(
                Data("an array counts as \(array.allocations) allocations: malloc is not counted here\n".utf8))
            exit(1)
        }
        let benchmarks = [
            try Benchmark.signature(key: key), try Benchmark.json(), Benchmark.streams(), try Benchmark.routing(),
            try Benchmark.statistics(),
        ]
        for benchmark in benchmarks.joined() {
            let cost = try await benchmark.measure()
            print(
                #"{"name": "\#(benchmark.name)", "allocations": \#(cost.allocations), "bytes": \#(cost.bytes), "nanoseconds": \#(cost.nanoseconds)}"#
            )
        }
    }
}
