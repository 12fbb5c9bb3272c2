import Foundation
import NIOCore
import NIOPosix
import Synchronization
import Testing

/// An answer as it came over the wire.
struct RawAnswer: Sendable {
    var status: Int
    var headers: [String: String]
    var body: String

    var json: [String: Any]? { (try? JSONSerialization.jsonObject(with: Data(body.utf8))) as? [String: Any] }

    /// `error.code` and the like.
    func error(_ member: String) -> String? { (json?["error"] as? [String: Any])?[member] as? String }

    /// The data of the events of a stream.
    var events: [String] {
        body.components(separatedBy: "\n\n").compactMap { $0.hasPrefix("data: ") ? String($0.dropFirst(6)) : nil }
    }

    /// The content deltas of a stream, put together.
    var text: String {
        events.compactMap { event in
            let chunk = (try? JSONSerialization.jsonObject(with: Data(event.utf8))) as? [String: Any]
            let delta = (chunk?["choices"] as? [[String: Any]])?.first?["delta"] as? [String: Any]
            return delta?["content"] as? String
        }.joined()
    }
}

/// A TCP connection that a test reads byte by byte.
final class RawConnection: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var isClosed = false
        /// Counts the changes, so that none is missed between a look and the wait for the next.
        var version = 0
        var waiter: CheckedContinuation<Void, Never>?
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        let change: ((inout State) -> Void) -> Void

        init(change: @escaping ((inout State) -> Void) -> Void) { self.change = change }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let buffer = unwrapInboundIn(data)
            change { $0.bytes += Array(buffer.readableBytesView) }
        }

        func channelInactive(context: ChannelHandlerContext) { change { $0.isClosed = true } }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if event as? ChannelEvent == .inputClosed { change { $0.isClosed = true } }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            change { $0.isClosed = true }
            context.close(promise: nil)
        }
    }

    private final class Inbox: Sendable {
        let state = Mutex(State())

        func change(_ body: (inout State) -> Void) {
            let waiter = state.withLock { state in
                body(&state)
                state.version += 1
                return state.waiter.take()
            }
            waiter?.resume()
        }
    }

    private let channel: any Channel
    private let inbox: Inbox

    private init(channel: any Channel, inbox: Inbox) {
        self.channel = channel
        self.inbox = inbox
    }

    enum Place: Sendable {
        case host(String, Int)
        case unix(String)
    }

    static func open(port: Int) async throws -> RawConnection { try await open(.host("127.0.0.1", port)) }

    static func open(_ place: Place) async throws -> RawConnection {
        let inbox = Inbox()
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler { inbox.change($0) })
                }
            }
        let channel =
            switch place {
            case .host(let host, let port): try await bootstrap.connect(host: host, port: port).get()
            case .unix(let path): try await bootstrap.connect(unixDomainSocketPath: path).get()
            }
        return RawConnection(channel: channel, inbox: inbox)
    }

    func send(_ text: String) {
        channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
    }

    func close() { channel.close(promise: nil) }

    /// Closes the sending half only.
    func finishSending() { channel.close(mode: .output, promise: nil) }

    /// Takes nothing from the socket from here on, or what is there and comes.
    func setReading(_ isReading: Bool) async throws { try await channel.setOption(.autoRead, value: isReading).get() }

    /// How much has come so far, in bytes.
    var receivedCount: Int { inbox.state.withLock { $0.bytes.count } }

    /// Everything that has come so far.
    var received: String { String(decoding: inbox.state.withLock { $0.bytes }, as: UTF8.self) }

    /// Returns when the bytes contain `text` that many times; fails when the connection ends first.
    func received(_ text: String, times: Int = 1) async throws {
        try await wait { String(decoding: $0, as: UTF8.self).components(separatedBy: text).count > times }
    }

    /// Returns when the other side has closed.
    func closed() async {
        while true {
            let (isClosed, version) = inbox.state.withLock { ($0.isClosed, $0.version) }
            if isClosed { return }
            await changed(since: version)
        }
    }

    /// The next whole answer, which is taken from what has come. Interim answers (1xx) are passed over.
    func answer() async throws -> RawAnswer {
        while true {
            var answer: RawAnswer?
            try await wait { bytes in
                guard let (parsed, count) = Self.parse(bytes) else { return false }
                answer = parsed
                bytes.removeFirst(count)
                return true
            }
            if let answer, answer.status >= 200 { return answer }
        }
    }

    /// The next whole answer; nil when the connection ends before it is there.
    func answerIfAny() async -> RawAnswer? {
        var answer: RawAnswer?
        _ = await isThere { bytes in
            guard let (parsed, count) = Self.parse(bytes) else { return false }
            answer = parsed
            bytes.removeFirst(count)
            return true
        }
        return answer
    }

    private func wait(_ condition: (inout [UInt8]) -> Bool) async throws {
        try #require(await isThere(condition), "the connection ended after: \(received)")
    }

    /// Waits for it; false when the connection ends before.
    private func isThere(_ condition: (inout [UInt8]) -> Bool) async -> Bool {
        while true {
            let (isThere, isClosed, version) = inbox.state.withLock { (condition(&$0.bytes), $0.isClosed, $0.version) }
            if isThere { return true }
            if isClosed { return false }
            await changed(since: version)
        }
    }

    private func changed(since version: Int) async {
        await withCheckedContinuation { continuation in
            let hasChanged = inbox.state.withLock { state in
                if state.version != version { return true }
                state.waiter = continuation
                return false
            }
            if hasChanged { continuation.resume() }
        }
    }

    /// An answer at the beginning of `bytes`, and its length; nil while it is not whole.
    private static func parse(_ bytes: [UInt8]) -> (RawAnswer, Int)? {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        guard let status = lines[0].split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(
                in: .whitespaces)
        }
        let rest = bytes[end.upperBound...]
        if status < 200 || status == 204 {
            return (RawAnswer(status: status, headers: headers, body: ""), end.upperBound)
        }
        if headers["transfer-encoding"] == "chunked" {
            guard let (body, bodyEnd) = dechunk(rest) else { return nil }
            return (RawAnswer(status: status, headers: headers, body: body), bodyEnd)
        }
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        guard rest.count >= length else { return nil }
        return (
            RawAnswer(status: status, headers: headers, body: String(decoding: rest.prefix(length), as: UTF8.self)),
            end.upperBound + length
        )
    }

    private static func dechunk(_ bytes: ArraySlice<UInt8>) -> (String, Int)? {
        var rest = bytes
        var body: [UInt8] = []
        while let lineEnd = rest.firstRange(of: Array("\r\n".utf8)) {
            guard let size = Int(String(decoding: rest[..<lineEnd.lowerBound], as: UTF8.self), radix: 16) else {
                return nil
            }
            let data = rest[lineEnd.upperBound...]
            guard data.count >= size + 2 else { return nil }
            if size == 0 { return (String(decoding: body, as: UTF8.self), lineEnd.upperBound + 2) }
            body += data.prefix(size)
            rest = data.dropFirst(size + 2)
        }
        return nil
    }
}
