import Foundation
import Logging
import Proxy

/// `embedded-proxy CONFIG MODEL TEXT`: serves by a configuration file, asks one chat itself, and ends.
@main
enum EmbeddedProxy {
    static func main() async throws {
        guard CommandLine.arguments.count == 4 else {
            print("usage: embedded-proxy CONFIG MODEL TEXT")
            exit(64)
        }
        let (file, model, text) = (CommandLine.arguments[1], CommandLine.arguments[2], CommandLine.arguments[3])

        let configuration = try ProxyConfiguration(contentsOf: file)
        let service = ProxyService(configuration, logger: Logger(label: "embedded-proxy"))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await service.run() }
            print("Clients connect to \(try await service.address)")

            for try await event in service.events(of: ChatQuestion(model: model, messages: [.user(text)])) {
                if case .text(let piece, choice: _) = event {
                    print(piece, terminator: "")
                    fflush(nil)
                }
            }
            print("\nTokens: \(await service.snapshot().totals.completionTokens)")
            tasks.cancelAll()
        }
    }
}
