import NIOCore
import NIOHTTP1
import NIOPosix
import ProxyTestSupport
import Synchronization
import Testing

@testable import Proxy
@testable import ProxyRouting

private typealias Bench = TransportBench

@Suite("The transport: requests and answers", .timeLimit(.minutes(5)))
struct NIOTransportTests {
    private static let whole = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"

    @Test(arguments: TransportBench.Caller.allCases)
    func `The head comes first, informational answers are skipped, and the body streams`(
        _ caller: TransportBench.Caller
    ) async throws {
        let (server, transport) = (try await PlayedServer(), try Bench.transport())
        let read = Mutex<[String]>([])
        let gate = AsyncStream.makeStream(of: String.self)
        let call = Bench.call(caller) {
            let response = try await transport.send(
                Bench.request(server.port, path: "/a?b=c", body: Array("ping".utf8)))
            gate.continuation.yield("\(response.status) \(response.headers["x"])")
            for try await bytes in response.body {
                read.withLock { $0.append(String(buffer: bytes)) }
                gate.continuation.yield(String(buffer: bytes))
            }
        }
        var events = gate.stream.makeAsyncIterator()
        let peer = await server.accept()
        let request = await peer.request()
        #expect(request.hasPrefix("POST /a?b=c HTTP/1.1\r\n"))
        #expect(request.contains("host: 127.0.0.1:\(server.port)\r\n"))
        #expect(request.contains("content-length: 4\r\n"))
        #expect(request.hasSuffix("\r\n\r\nping"))
        try await peer.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n")
        try await peer.send("HTTP/1.1 201 Created\r\nx: 1\r\ntransfer-encoding: chunked\r\n\r\n")
        #expect(await events.next() == #"201 ["1"]"#)
        try await peer.send("3\r\none\r\n")
        #expect(await events.next() == "one")
        try await peer.send("3\r\ntwo\r\n0\r\n\r\n")
        #expect(await events.next() == "two")
        try await call.value
        #expect(read.withLock { $0 } == ["one", "two"])
    }

    @Test func `What one read of the socket brings is one buffer`() async throws {
        let (server, transport) = (try await PlayedServer(), try Bench.transport())
        let call = Bench.call {
            var parts: [String] = []
            for try await bytes in try await transport.send(Bench.request(server.port)).body {
                parts.append(String(buffer: bytes))
            }
            return parts
        }
        let peer = await server.accept()
        await peer.request()
        try await peer.send(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n")
        #expect(try await call.value == ["onetwothree"])
    }

    @Test(arguments: TransportBench.Caller.allCases)
    func `A connection whose answer ended is used again`(_ caller: TransportBench.Caller) async throws {
        let (server, transport) = (try await PlayedServer(), try Bench.transport())
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let call = Task(executorPreference: EventLoopExecutor(loop)) {
            var texts: [String] = []
            for _ in 0..<3 { texts.append(try await Bench.text(transport, Bench.request(server.port))) }
            return texts
        }
        let peer = await server.accept()
        for answer in [
            Self.whole, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
            "HTTP/1.1 204 No Content\r\n\r\n",
        ] {
            await peer.request()
            try await peer.send(answer)
        }
        #expect(try await call.value == ["hello", "hi", ""])
        #expect(server.waitingConnections == 0)
        #expect(await transport.openConnections() == 1)
        await transport.shutDown()
        await peer.closed()
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello",
        "HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello",
    ])
    func `A connection that shall not be kept is closed when the answer has ended`(_ answer: String) async throws {
        let (server, transport) = (try await PlayedServer(), try Bench.transport())
        let call = Bench.call { try await Bench.text(transport, Bench.request(server.port)) }
        let peer = await server.accept()
        await peer.request()
        try await peer.send(answer)
        #expect(try await call.value == "hello")
        await peer.closed()
    }

    @Test(arguments: ["HTTP/1.1 2", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "\0\0", "\r\n"])
    func `A kept connection on which something comes unasked leaves the pool`(_ unasked: String) async throws {
        let (server, transport) = (try await PlayedServer(), try Bench.transport())
        let first = Bench.call { try await Bench.text(transport, Bench.request(server.port)) }
        let peer = await server.accept()
        await peer.request()
        try await peer.send(Self.whole)
        #expect(try await first.value == "hello")
        try await peer.send(unasked)
        await peer.closed()
        #expect(await transport.openConnections() == 0)
    }

    @Test func `A kept connection that the other side closes leaves the pool`() async throws {
        let (server, transport) = (try await PlayedServer(), try Bench.transport())
        let first = Bench.call { try await Bench.text(transport, Bench.request(server.port)) }
        let peer = await server.accept()
        await peer.request()
        try await peer.send(Self.whole)
        #expect(try await first.value == "hello")
        await peer.close()
        await Bench.open(0, in: transport)
    }

    @Test(arguments: [true, false])
    func `A kept connection that dies under a request is replaced, unseen by the caller`(_ isReset: Bool) async throws {
        let (server, transport) = (try await PlayedServer(), try Bench.transport())
        let call = Bench.call {
            let request = Bench.request(server.port, body: Array("ping".utf8))
            return (try await Bench.text(transport, request), try await Bench.text(transport, request))
        }
        let peer = await server.accept()
        await peer.request()
        try await peer.send(Self.whole)
        await peer.request()
        if isReset { try await peer.reset() } else { await peer.close() }
        let second = await server.accept()
        #expect(await second.request().hasSuffix("ping"))
        try await second.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        #expect(try await call.value == ("hello", "ok"))
    }

    @Test func `A request is sent anew once, not twice`() async throws {
        let (server, transport) = (try await PlayedServer(), try Bench.transport())
        let call = Bench.call {
            _ = try await Bench.text(transport, Bench.request(server.port))
            return try await Bench.text(transport, Bench.request(server.port))
        }
        let peer = await server.accept()
        await peer.request()
        try await peer.send(Self.whole)
        await peer.request()
        await peer.close()
        let second = await server.accept()
        await second.request()
        await second.close()
        await #expect(throws: TransportError.connectionLost("the upstream closed the connection")) {
            try await call.value
        }
        #expect(server.waitingConnections == 0)
    }

    @Test(arguments: [
        ["HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 4\r\n\r\nlate"],
        ["HTTP/1.0 408 Request Time-out\r\n\r\n<html>"],
        ["HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n"],
        ["HTTP/1.1 4", "08 Request Timeout\r\nconnection: close", "\r\n\r\n"],
    ])
    func `A 408 on a kept connection is its end, and the request is sent anew`(_ answer: [String]) async throws {
        let (server, transport) = (try await PlayedServer(), try Bench.transport())
        let call = Bench.call {
            let request = Bench.request(server.port, body: Array("ping".utf8))
            return (try await Bench.text(transport, request), try await Bench.text(transport, request))
        }
        let peer = await server.accept()
        await peer.request()
        try await peer.send(Self.whole)
        await peer.request()
        for piece in answer { try await peer.send(piece) }
        await peer.closed()
        let second = await server.accept()
        #expect(await second.request().hasSuffix("ping"))
        try await second.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        #expect(try await call.value == ("hello", "ok"))
        #expect(await transport.openConnections() == 1)
    }

    @Test func `A 408 on a new connection is an answer`() async throws {
        let (server, transport) = (try await PlayedServer(), try Bench.transport())
        let timeout = "HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n"
        let call = Bench.call {
            var statuses: [Int] = []
            for _ in 0..<2 {
                let response = try await transport.send(Bench.request(server.port))
                statuses.append(response.status)
                _ = try await response.collect(upTo: 100)
            }
            return statuses
        }
        let peer = await server.accept()
        await peer.request()
        try await peer.send(timeout)
        await peer.request()
        try await peer.send(timeout)
        // What comes of the second attempt is the answer, whatever it is.
        let second = await server.accept()
        await second.request()
        try await second.send(timeout)
        #expect(try await call.value == [408, 408])
        #expect(server.waitingConnections == 0)
    }

    @Test func `Whether a request or the end of its connection was first, it is answered`() async throws {
        let (server, transport) = (try await PlayedServer(), try Bench.transport())
        let count = 200
        let serving = Task {
            for number in 0..<count {
                let peer = await server.accept()
                await peer.request()
                try await peer.send(Self.whole)
                // It may meet the next request, or be there before it.
                if number.isMultiple(of: 2) {
                    try? await peer.send("HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\r\n")
                }
                await peer.close()
            }
        }
        let call = Bench.call {
            var texts: Set<String> = []
            for _ in 0..<count {
                texts.insert(try await Bench.text(transport, Bench.request(server.port, body: Array("ping".utf8))))
            }
            return texts
        }
        #expect(try await call.value == ["hello"])
        try await serving.value
        #expect(server.waitingConnections == 0)
    }

    @Test func `A kept connection that dies in the middle of a head is the caller's failure`() async throws {
        let (server, transport) = (try await PlayedServer(), try Bench.transport())
        let call = Bench.call {
            _ = try await Bench.text(transport, Bench.request(server.port))
            return try await Bench.text(transport, Bench.request(server.port))
        }
        let peer = await server.accept()
        await peer.request()
        try await peer.send(Self.whole)
        await peer.request()
        try await peer.send("HTTP/1.1 200 OK\r\ncontent")
        await peer.close()
        await #expect(throws: TransportError.connectionLost("the upstream closed the connection")) {
            try await call.value
        }
        #expect(server.waitingConnections == 0)
    }

    @Test(arguments: [false, true])
    func `An answer that comes before the request has been written is delivered`(_ isReset: Bool) async throws {
        let (server, transport) = (try await PlayedServer(pausesReading: true), try Bench.transport())
        let call = Bench.call {
            let response = try await transport.send(
                Bench.request(server.port, body: [UInt8](repeating: 65, count: 32 << 20)))
            return (response.status, try await response.collect(upTo: 100))
        }
        let peer = await server.accept()
        await peer.wait { $0.total > 0 }
        try await peer.send("HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\nconnection: close\r\n\r\nbig")
        if isReset {
            // What it has not read makes the kernel send a reset.
            await peer.close()
        }
        let (status, body) = try await call.value
        #expect(status == 413)
        #expect(body == Array("big".utf8))
        // It may have noticed already that it is closed.
        if !isReset { try? await peer.startReading() }
        await peer.closed()
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n8\r\nhello",
    ])
    func `An answer that is cut off gives what there is, then fails`(_ answer: String) async throws {
        let (server, transport) = (try await PlayedServer(), try Bench.transport())
        let call = Bench.call {
            var body = try await transport.send(Bench.request(server.port)).body.makeAsyncIterator()
            var text = ""
            do {
                while let bytes = try await body.next(isolation: nil) { text += String(buffer: bytes) }
                return (text, nil as TransportError?)
            } catch {
                return (text, error as? TransportError)
            }
        }
        let peer = await server.accept()
        await peer.request()
        try await peer.send(answer)
        await peer.close()
        let (text, error) = try await call.value
        #expect(text == "hello")
        #expect(error == .answerCut("the upstream closed the connection"))
    }

    @Test func `An answer without a length ends with its connection`() async throws {
        let (server, transport) = (try await PlayedServer(), try Bench.transport())
        let call = Bench.call { try await Bench.text(transport, Bench.request(server.port)) }
        let peer = await server.accept()
        await peer.request()
        try await peer.send("HTTP/1.1 200 OK\r\n\r\nhello")
        await peer.close()
        #expect(try await call.value == "hello")
    }

    @Test(arguments: [
        "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx: " + String(repeating: "a", count: 70_000) + "\r\n\r\n",
        "HTTP/1.1 200 " + String(repeating: "a", count: 140_000),
        "HTTP/1.1 200 OK\r\n" + String(repeating: "x: y\r\n", count: 300) + "\r\n",
        String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 6000),
    ])
    func `What is no HTTP, or too much of it, is a malformed answer`(_ answer: String) async throws {
        let (server, transport) = (try await PlayedServer(), try Bench.transport())
        let call = Bench.call { try await Bench.text(transport, Bench.request(server.port)) }
        let peer = await server.accept()
        await peer.request()
        try? await peer.send(answer)
        do {
            let text = try await call.value
            Issue.record("It was taken for an answer: \(text.prefix(20))")
        } catch TransportError.malformedAnswer {
            await peer.closed()
        }
    }

    @Test func `A slow reader stops the socket`() async throws {
        let (server, transport) = (try await PlayedServer(), try Bench.transport())
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let size = 64 << 20
        let call = Task(executorPreference: EventLoopExecutor(loop)) {
            var sizes: [Int] = []
            for try await bytes in try await transport.send(Bench.request(server.port)).body {
                sizes.append(bytes.readableBytes)
                // Leaves the loop time to read far more than it may.
                for _ in 0..<20 { await Task.yield() }
            }
            return sizes
        }
        let peer = await server.accept()
        await peer.request()
        try await peer.send("HTTP/1.1 200 OK\r\ncontent-length: \(size)\r\n\r\n")
        try await peer.send([UInt8](repeating: 65, count: size))
        let sizes = try await call.value
        #expect(sizes.reduce(0, +) == size)
        #expect(sizes.max() ?? 0 <= 256 << 10)
    }

    @Test func `Thousands of calls are made at once`() async throws {
        let (server, transport) = (try await PlayedServer(), try Bench.transport())
        let count = 2000
        let serving = Task {
            var peers: [Peer] = []
            for _ in 0..<count {
                let peer = await server.accept()
                await peer.request()
                peers.append(peer)
            }
            // All of them are here, none has been answered.
            for peer in peers { try await peer.send(Self.whole) }
        }
        let texts = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<count {
                group.addTask(executorPreference: EventLoopExecutor(MultiThreadedEventLoopGroup.singleton.next())) {
                    try await Bench.text(transport, Bench.request(server.port))
                }
            }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        try await serving.value
        #expect(texts == ["hello"])
        await transport.shutDown()
        #expect(await transport.openConnections() == 0)
    }

    @Test func `Unused connections are kept as many as are allowed`() async throws {
        let server = try await PlayedServer()
        let transport = try Bench.transport { $0.idleConnections = 2 }
        let calls = (0..<5).map { _ in
            Bench.call(.elsewhere) { try await Bench.text(transport, Bench.request(server.port)) }
        }
        var peers: [Peer] = []
        for _ in calls {
            let peer = await server.accept()
            await peer.request()
            peers.append(peer)
        }
        for peer in peers { try await peer.send(Self.whole) }
        for call in calls { #expect(try await call.value == "hello") }
        await Bench.open(2, in: transport)
    }

    @Test func `An unused connection is closed when its time is up`() async throws {
        let server = try await PlayedServer()
        let transport = try Bench.transport { $0.idleTimeout = .milliseconds(20) }
        let call = Bench.call { try await Bench.text(transport, Bench.request(server.port)) }
        let peer = await server.accept()
        await peer.request()
        try await peer.send(Self.whole)
        #expect(try await call.value == "hello")
        await peer.closed()
    }

    @Test func `A header that could end the head is not sent`() async throws {
        let (server, transport) = (try await PlayedServer(), try Bench.transport())
        for (name, value) in [("x", "a\r\nb: c"), ("x", "a\nb"), ("x\r\ny", "z")] {
            var request = Bench.request(server.port)
            request.headers.add(name: name, value: value)
            await #expect(throws: TransportError.self) { try await transport.send(request) }
        }
        #expect(server.waitingConnections == 0)
    }

    @Test func `No answer, however mangled, does harm`() async throws {
        let (server, transport) = (try await PlayedServer(), try Bench.transport { $0.unpackedLimit = 1 << 20 })
        let samples = [
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nx: y\r\n\r\n3\r\none\r\n3;a=b\r\ntwo\r\n0\r\nt: u\r\n\r\n",
            "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-encoding: gzip\r\n\r\nhello",
            "HTTP/1.0 200 OK\r\n\r\nhello\r\n",
            "HTTP/1.1 304 Not Modified\r\ncontent-length: 100\r\n\r\nHTTP/1.1 200 OK\r\n",
        ]
        var random = SplitMix64(seed: 7)
        for _ in 0..<400 {
            var bytes = Array(samples[Int.random(in: 0..<samples.count, using: &random)].utf8)
            for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: index)
                case 2: bytes.insert(contentsOf: bytes[index..<min(index + 9, bytes.count)], at: index)
                default: bytes.removeLast(bytes.count - index)
                }
            }
            let call = Bench.call(.elsewhere) { try await Bench.text(transport, Bench.request(server.port)) }
            let peer = await server.accept()
            await peer.request()
            let half = bytes.count / 2
            try? await peer.send(Array(bytes[..<half]))
            try? await peer.send(Array(bytes[half...]))
            await peer.close()
            do {
                _ = try await call.value
            } catch let error {
                #expect(error is TransportError)
            }
            await Bench.open(0, in: transport)
        }
    }

    @Test(arguments: [
        (["x": "1"], "hello", "HTTP/1.1 200 OK\r\ncontent-length: 25\r\ncontent-encoding: gzip\r\n\r\n")
    ])
    func `Compressed answers are unpacked where that is wanted, up to a limit`(
        _ headers: [String: String], _ text: String, _ head: String
    ) async throws {
        // gzip of "hello"
        let packed: [UInt8] = [
            0x1F, 0x8B, 0x08, 0, 0, 0, 0, 0, 0, 0x03, 0xCB, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0, 0x86, 0xA6, 0x10, 0x36,
            0x05, 0, 0, 0,
        ]
        for (limit, expected) in [(100, nil), (4, TransportError.tooLarge(limit: 4))] as [(Int, TransportError?)] {
            let (server, transport) = (try await PlayedServer(), try Bench.transport { $0.unpackedLimit = limit })
            let call = Bench.call { try await Bench.text(transport, Bench.request(server.port)) }
            let peer = await server.accept()
            #expect(await peer.request().lowercased().contains("accept-encoding: gzip"))
            try await peer.send(Array(head.utf8) + packed)
            if let expected {
                await #expect(throws: expected) { try await call.value }
            } else {
                #expect(try await call.value == text)
            }
        }
    }

    @Test func `Compressed answers and others follow one another on a connection`() async throws {
        let (server, transport) = (try await PlayedServer(), try Bench.transport { $0.unpackedLimit = 100 })
        let packed: [UInt8] = [
            0x1F, 0x8B, 0x08, 0, 0, 0, 0, 0, 0, 0x03, 0xCB, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0, 0x86, 0xA6, 0x10, 0x36,
            0x05, 0, 0, 0,
        ]
        let call = Bench.call {
            var texts: [String] = []
            for _ in 0..<5 { texts.append(try await Bench.text(transport, Bench.request(server.port))) }
            return texts
        }
        let peer = await server.accept()
        for isPacked in [false, true, false, true, true] {
            await peer.request()
            let body = isPacked ? packed : Array("plain".utf8)
            let head =
                "HTTP/1.1 200 OK\r\ncontent-length: \(body.count)\r\n"
                + (isPacked ? "content-encoding: gzip\r\n\r\n" : "\r\n")
            try await peer.send(Array(head.utf8) + body)
        }
        #expect(try await call.value == ["plain", "hello", "plain", "hello", "hello"])
        #expect(await transport.openConnections() == 1)
    }

    @Test func `A head that is known is sent with each body`() async throws {
        let (server, transport) = (try await PlayedServer(), try Bench.transport())
        let known = KnownHead()
        let call = Bench.call {
            for text in ["one", "three"] {
                var request = Bench.request(server.port, body: Array(text.utf8))
                request.headers = ["x": "y"]
                request.known = known
                _ = try await Bench.text(transport, request)
            }
        }
        let peer = await server.accept()
        for text in ["one", "three"] {
            let request = await peer.request()
            #expect(
                request
                    == "POST /v1/chat HTTP/1.1\r\nx: y\r\nhost: 127.0.0.1:\(server.port)\r\ncontent-length: \(text.utf8.count)\r\n\r\n\(text)"
            )
            try await peer.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        }
        try await call.value
    }
}
