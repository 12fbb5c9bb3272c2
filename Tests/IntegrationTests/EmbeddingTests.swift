import Foundation
import OCISimulator
import Testing

/// The proxy inside another program: the example, as a process of its own in front of the simulator.
@Suite struct EmbeddingTests {
    @Test func `The example listens and tells what the model says`() async throws {
        func start(_ config: URL) throws -> Program {
            try Program("embedded-proxy", [config.path, "grok-4", "Tell me of harbours."])
        }
        try await RunningProxy.run(start: start) { proxy in
            #expect(await proxy.exitCode() == 0, "\(proxy.log)")
            #expect(proxy.log.contains("Clients connect to http://127.0.0.1:\(proxy.port)\n"))
            #expect(proxy.log.contains("harbours") && proxy.log.contains("\nTokens: "), "\(proxy.log)")
            let chats = proxy.simulator.requests.filter { $0.kind == .chat }
            #expect(chats.count == 1 && proxy.log.contains("key=in-process"), "\(proxy.log)")
        }
    }
}
