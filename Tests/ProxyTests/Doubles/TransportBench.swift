import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

@testable import Proxy

/// The transport under test, and the ways to call it.
enum TransportBench {
    /// A connection may take its time: thousands of tests share the cores, some of which compute for seconds.
    static func transport(_ change: (inout NIOTransport.Options) -> Void = { _ in }) throws -> NIOTransport {
        var options = NIOTransport.Options(
            connectTimeout: .minutes(1), crossing: .minutes(10),
            authorities: AuthorityFile(
                path: "authority.pem",
                content: try Array(Data(contentsOf: URL(filePath: PlayedServer.fixture("authority.pem"))))))
        change(&options)
        return try NIOTransport(group: MultiThreadedEventLoopGroup.singleton, options: options)
    }

    /// Where the task runs that makes a call: as a request's does, or anywhere.
    enum Caller: CaseIterable, Sendable { case onEventLoop, elsewhere }

    static func call<Value: Sendable>(
        _ caller: Caller = .onEventLoop, _ body: @escaping @Sendable () async throws -> Value
    ) -> Task<Value, any Error> {
        switch caller {
        case .onEventLoop:
            Task(executorPreference: EventLoopExecutor(MultiThreadedEventLoopGroup.singleton.next()), operation: body)
        case .elsewhere: Task(operation: body)
        }
    }

    static func request(
        _ port: Int, scheme: String = "http", host: String = "127.0.0.1", path: String = "/v1/chat",
        body: [UInt8]? = nil
    ) -> TransportRequest {
        TransportRequest(
            method: body == nil ? .GET : .POST, url: "\(scheme)://\(host):\(port)\(path)", headers: [:],
            body: body.map { ByteBuffer(bytes: $0) })
    }

    /// Sends and reads it all.
    static func text(_ transport: NIOTransport, _ request: TransportRequest) async throws -> String {
        String(decoding: try await transport.send(request).collect(upTo: 64 << 20), as: UTF8.self)
    }

    /// Waits until `count` connections are open or being made.
    static func open(_ count: Int, in transport: NIOTransport) async {
        while await transport.openConnections() != count, !Task.isCancelled { await Task.yield() }
    }
}
