import Foundation
import OCISimulator
import Testing

/// Clients that take what they can get.
@Suite struct HostileClientTests {
    @Test func `Ten thousand half open connections harm nobody else`() async throws {
        try FileLimit.raise(to: 14_000)
        try await RunningProxy.run(accounts: 1, settings: "max_client_connections = 11000", isAlone: true) { proxy in
            let before = try await proxy.gauge("process_resident_memory_bytes")
            let crowd = Crowd()
            defer { crowd.leave() }
            for _ in 0..<20 {
                // A part of a head each, and never the rest.
                for _ in 0..<500 {
                    try crowd.join(
                        port: proxy.port, saying: "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nX-Half: ")
                }
                let answer = try await proxy.chat(RunningProxy.body("still here"))
                #expect(answer.status == 200 && answer.body.contains("still here"))
            }
            #expect(crowd.count == 10_000)
            #expect(try await proxy.gauge("process_open_fds") > 10_000)
            let tally = try await Load(count: 200, concurrency: 10).run(against: proxy)
            #expect(tally.whole == 200, "\(tally.flaws.prefix(3))")
            let grown = try await proxy.gauge("process_resident_memory_bytes") - before
            #expect(grown < 400_000_000, "\(grown / 10_000) bytes for each of them")
            crowd.leave()
            try await eventually("the descriptors are free") { try await proxy.gauge("process_open_fds") < 200 }
        }
    }

    @Test func `Connections beyond the limit wait until one is free`() async throws {
        try await RunningProxy.run(settings: "max_client_connections = 3") { proxy in
            let few = [try await proxy.connect(), try await proxy.connect(), try await proxy.connect()]
            let health = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
            for connection in few {
                connection.send(health)
                #expect(try await connection.answer().status == 200)
            }
            let fourth = try await proxy.connect()
            fourth.send(health)
            for _ in 0..<20 {
                few[0].send(health)
                #expect(try await few[0].answer().status == 200, "those who are in are served")
            }
            #expect(fourth.received.isEmpty)
            few[1].close()
            #expect(try await fourth.answer().status == 200)
            for connection in few + [fourth] { connection.close() }
        }
    }

    /// The limit falls under what is open already, so that the next `accept` fails.
    @Test func `A proxy without a descriptor left serves again when it has one`() async throws {
        try await RunningProxy.run { proxy in
            #expect(try await proxy.chat(RunningProxy.body()).status == 200)
            try await limitFiles(of: proxy, to: 10)
            let crowd = Crowd()
            defer { crowd.leave() }
            for _ in 0..<50 { try crowd.join(port: proxy.port, saying: "GET /health HTTP/1.1\r\nHost: x\r\n\r\n") }
            let waiting = try await proxy.connect()
            defer { waiting.close() }
            waiting.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            try await proxy.logged("Cannot accept connections: ")
            try await limitFiles(of: proxy, to: 1000)
            #expect(try await waiting.answer().status == 200)
            #expect(try await proxy.chat(RunningProxy.body()).status == 200)
            let complaints = await proxy.wholeLog().split(separator: "\n").count {
                $0.contains("Cannot accept connections: ")
            }
            #expect(complaints == 1, "it tries again without a word")
        }
    }

    /// A stream of 38 MB: far more than the kernel's buffers take on the way.
    @Test func `Who does not read holds up the upstream and not the proxy's memory`() async throws {
        let events = 600
        try await RunningProxy.run(pacing: Pacing(events: events, text: String(repeating: "a", count: 64_000))) {
            proxy in
            #expect(try await proxy.get("/health").status == 200)
            let before = try await proxy.gauge("process_resident_memory_bytes")
            let connection = try await proxy.connect()
            defer { connection.close() }
            try await connection.setReading(false)
            connection.send(proxy.chatRequest(RunningProxy.body(streams: true)))
            var (sent, repeated) = (0, 0)
            try await eventually("the upstream is held up", within: .seconds(60)) {
                let now = proxy.simulator.requests.last { $0.kind == .chat }?.eventsSent ?? 0
                (sent, repeated) = (now, now > 0 && now == sent ? repeated + 1 : 0)
                return repeated == 50
            }
            #expect(sent < events * 2 / 3, "\(sent) of \(events) events")
            let grown = try await proxy.gauge("process_resident_memory_bytes") - before
            #expect(grown < 16_000_000, "\(grown) bytes")
            #expect(try await proxy.chat(#"{"model":"grok-4","max_tokens":1}"#).status == 400, "others are served")

            try await connection.setReading(true)
            let id = try #require(proxy.simulator.requests.last { $0.kind == .chat }?.id)
            #expect(try await proxy.simulator.ended(id).ending == .completed)
            try await eventually("all of it has arrived", within: .seconds(60)) {
                connection.receivedCount > events * 64_000
            }
        }
    }

    private func limitFiles(of proxy: RunningProxy, to count: Int) async throws {
        let tool = try Program("/usr/bin/prlimit", ["--pid", "\(proxy.pid)", "--nofile=\(count):"])
        try #require(await tool.exitCode() == 0, "\(tool.output)")
    }

    /// Bodies that cost more to read than to send, under a limit of seconds for what takes a moment when the work is linear. (The test's own
    /// limit has its turn among the other tests in it.)
    @Test(.timeLimit(.minutes(10))) func `Laborious bodies are answered soon`() async throws {
        try await RunningProxy.run { proxy in
            let size = 150_000
            let chat = #""messages":[{"role":"user","content":"hi"}]"#
            let bodies: [(String, Int)] = [
                (String(repeating: "[", count: size), 400), (String(repeating: #"{"a":"#, count: size / 5), 400),
                ("{\(chat)" + String(repeating: #","model":"grok-4""#, count: size / 20) + "}", 200),
                (#"{"model":"grok-4",\#(chat)"# + (0..<size / 12).map { #","k\#($0)":0"# }.joined() + "}", 200),
                (
                    #"{"model":"grok-4","messages":[\#(Array(repeating: #"{"role":"user","content":"a"}"#, count: size / 30).joined(separator: ","))]}"#,
                    200
                ),
                (
                    #"{"model":"grok-4","messages":[{"role":"user","content":["#
                        + Array(repeating: #"{"type":"text","text":"a"}"#, count: size / 26).joined(separator: ",")
                        + "]}]}", 200
                ),
                (
                    #"{"model":"grok-4",\#(chat),"x":"# + String(repeating: "[", count: 250)
                        + String(repeating: "]", count: 250) + "}", 200
                ),
                (#"{"model":"grok-4",\#(chat),"x":""# + String(repeating: #"\u00e9"#, count: size / 6) + #""}"#, 200),
                (#"{"model":"grok-4",\#(chat),"temperature":1"# + String(repeating: "0", count: size) + "}", 0),
            ]
            for (body, status) in bodies {
                let begun = ContinuousClock.now
                let answer = try await proxy.chat(body)
                #expect(
                    status == 0 || answer.status == status,
                    "\(body.prefix(60)): \(answer.status) \(answer.body.prefix(300))")
                #expect(answer.status < 500)
                #expect(ContinuousClock.now - begun < .seconds(10), "\(body.prefix(60))")
            }
        }
    }
}

/// Connections without a program behind them: a descriptor each.
private final class Crowd {
    private var members: [Int32] = []

    var count: Int { members.count }

    func join(port: Int, saying text: String) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try #require(descriptor >= 0, "no descriptor: \(String(cString: strerror(errno)))")
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        members.append(descriptor)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let outcome = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
        }
        try #require(outcome == 0, "cannot connect: \(String(cString: strerror(errno)))")
        _ = text.withCString { send(descriptor, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
    }

    func leave() {
        for member in members { close(member) }
        members = []
    }
}

extension RunningProxy {
    /// A metric without labels.
    fileprivate func gauge(_ name: String) async throws -> Double {
        let line = try await get("/metrics").body.split(separator: "\n").first { $0.hasPrefix(name + " ") }
        return try #require(line.flatMap { Double($0.dropFirst(name.count + 1)) }, "\(name)")
    }
}
