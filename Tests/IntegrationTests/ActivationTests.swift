import Foundation
import OCISimulator
import Synchronization
import Testing

/// Sockets that the service manager hands over, and what they are good for: a restart that nobody notices.
@Suite(.timeLimit(.minutes(5))) struct ActivationTests {
    @Test func `The proxy listens on every socket that it is handed`() async throws {
        let directory = try TemporaryDirectory.make()
        defer { try? FileManager.default.removeItem(at: directory) }
        let path = directory.appending(path: "proxy.sock").path
        let sockets = [try ListeningSocket.internet(), try .internet(AF_INET6), try .unix(path)]
        try await RunningProxy.run(settings: "host = 192.0.2.1") { config in
            try Program.activated(config, sockets.map(\.descriptor), names: "http:http6:local")
        } _: { proxy in
            #expect(try await proxy.chat(RunningProxy.body()).status == 200)
            let six = try #require(
                proxy.log.firstMatch(of: /Listening on http:\/\/\[::1\]:(\d+)/).flatMap { Int($0.1) })
            for address in [RawConnection.Place.host("::1", six), .unix(path)] {
                let connection = try await RawConnection.open(address)
                connection.send(proxy.chatRequest(RunningProxy.body(streams: true)))
                #expect(try await connection.answer().events.last == "[DONE]")
                connection.close()
            }
            #expect(proxy.log.contains("Listening on unix:\(path)"))
            // A Unix socket says nothing of the machine that a client is on.
            let strange = try await RawConnection.open(.unix(path))
            strange.send("GET /stats/queue HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try await strange.answer().status == 401)
            strange.close()
        }
    }

    /// How many clients may wait in the kernel while nobody accepts: a whole restart's worth.
    @Test func `The line in the kernel stays as long as the manager made it`() async throws {
        let socket = try ListeningSocket.internet()
        let before = try socket.backlog
        try await RunningProxy.run { config in
            try Program.activated(config, [socket.descriptor])
        } _: { proxy in
            #expect(try await proxy.get("/health").status == 200)
            let after = try socket.backlog
            #expect(after == before && before > 128)
        }
    }

    private func ask(_ connection: RawConnection) async throws -> Int {
        connection.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        return try await connection.answer().status
    }

    /// The bound is for all sockets together, so room at one is room at the other.
    @Test func `Who waits at one socket gets the room that another leaves`() async throws {
        let sockets = [try ListeningSocket.internet(), try ListeningSocket.internet()]
        try await RunningProxy.run(settings: "max_client_connections = 2") { config in
            try Program.activated(config, sockets.map(\.descriptor))
        } _: { proxy in
            let places = try sockets.map { RawConnection.Place.host("127.0.0.1", try $0.port) }
            let first = [try await RawConnection.open(places[0]), try await RawConnection.open(places[1])]
            for connection in first { #expect(try await ask(connection) == 200) }
            let second = [try await RawConnection.open(places[0]), try await RawConnection.open(places[1])]
            for connection in second { connection.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n") }
            // The only one at its socket.
            first[1].close()
            first[0].close()
            for connection in second { #expect(try await connection.answer().status == 200) }
            for connection in second { connection.close() }
        }
    }

    @Test func `A reload that raises the bound lets those in who wait`() async throws {
        try await RunningProxy.run(settings: "max_client_connections = 1") { proxy in
            let inside = try await proxy.connect()
            #expect(try await ask(inside) == 200)
            let waiting = try await proxy.connect()
            waiting.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            let file = proxy.directory.appending(path: "config.conf")
            let text = try String(contentsOf: file, encoding: .utf8).replacing(
                "max_client_connections = 1", with: "max_client_connections = 5")
            try text.write(to: file, atomically: true, encoding: .utf8)
            proxy.hangUp()
            #expect(try await waiting.answer().status == 200)
            #expect(try await ask(inside) == 200)
            for connection in [inside, waiting] { connection.close() }
        }
    }

    @Test func `Localhost is both loopback addresses`() async throws {
        try await RunningProxy.run(settings: "host = localhost") { proxy in
            #expect(try await proxy.get("/health").status == 200)
            // A machine may have no IPv6; then nothing says that it is listened on.
            try await proxy.logged("Healthy accounts: ")
            guard proxy.log.contains("http://[::1]:\(proxy.port)") else { return }
            let six = try await RawConnection.open(.host("::1", proxy.port))
            #expect(try await ask(six) == 200)
            six.close()
        }
    }

    @Test func `What is no listening socket ends the start`() async throws {
        let datagram = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(datagram) }
        let good = try ListeningSocket.internet()
        try await RunningProxy.run { proxy in
            let config = proxy.directory.appending(path: "config.conf")
            let program = try Program.activated(config, [good.descriptor, datagram], names: "http:syslog")
            #expect(await program.exitCode() == 69)
            #expect(
                program.output.contains(
                    "cannot listen on descriptor 4 (syslog) from the service manager: it is not a stream socket"
                ), "\(program.output)")
            #expect(!program.output.contains("Listening on"))
        }
    }

    @Test func `Connections beyond the bound wait for another to end`() async throws {
        try await RunningProxy.run(settings: "max_client_connections = 3") { proxy in
            var connections: [RawConnection] = []
            defer { for connection in connections { connection.close() } }
            // At once, so that one look at the socket finds them all.
            try await withThrowingTaskGroup(of: RawConnection.self) { group in
                for _ in 0..<8 { group.addTask { try await proxy.connect() } }
                for try await connection in group { connections.append(connection) }
            }
            try await eventually("as many as allowed") { try await proxy.openConnections() == 3 }
            for connection in connections {
                connection.send("GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            }
            // Each has its turn, and never are there more.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for connection in connections {
                    group.addTask {
                        let (answer, open) = (try await connection.answer(), try await proxy.openConnections())
                        #expect(answer.status == 200 && open <= 3)
                        connection.close()
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    /// One process after the other on the same socket, as `systemctl restart` does it with a socket unit: the old one ends, the next one
    /// starts, and who comes in between waits in the kernel.
    @Test func `A restart under load is noticed by nobody`() async throws {
        let socket = try ListeningSocket.internet()
        let pacing = Pacing(events: 5, text: "tick ", interval: .milliseconds(100))
        try await RunningProxy.run(pacing: pacing) { config in
            try Program.activated(config, [socket.descriptor])
        } _: { proxy in
            let config = proxy.directory.appending(path: "config.conf")
            let isOver = Flag()
            let tally = try await withThrowingTaskGroup(of: Load.Tally.self) { group in
                for worker in 0..<24 {
                    group.addTask {
                        var tally = Load.Tally()
                        while !isOver.isSet {
                            let streams = worker.isMultiple(of: 2)
                            do {
                                let answer = try await proxy.chat(RunningProxy.body(streams: streams))
                                if let flaw = answer.flaw(String(repeating: "tick ", count: 5), streams: streams) {
                                    tally.flaws.append(flaw)
                                }
                                tally.whole += 1
                            } catch {
                                tally.flaws.append("\(error)")
                            }
                        }
                        return tally
                    }
                }
                defer { isOver.set() }
                try await eventually("streams at the first process") { proxy.chats.count > 24 }
                proxy.terminate()
                #expect(await proxy.exitCode() == 0)
                // And a second time.
                for _ in 0..<2 {
                    let before = proxy.chats.count
                    let next = try Program.activated(config, [socket.descriptor])
                    do {
                        try await eventually("streams at the next process") { proxy.chats.count > before + 24 }
                    } catch {
                        next.terminate()
                        throw error
                    }
                    next.terminate()
                    #expect(await next.exitCode() == 0, "\(next.output)")
                }
                let last = try Program.activated(config, [socket.descriptor])
                isOver.set()
                let tally = try await group.reduce(into: Load.Tally()) { sum, part in
                    sum.whole += part.whole
                    sum.flaws += part.flaws
                }
                last.terminate()
                #expect(await last.exitCode() == 0)
                return tally
            }
            #expect(tally.whole > 72)
            #expect(tally.flaws.isEmpty, "\(tally.flaws.count) of \(tally.whole): \(tally.flaws.prefix(3))")
        }
    }
}

extension ActivationTests {
    /// Clients of the usual kind keep their connections. Until the old process has told them that they end, they ask on there.
    @Test func `A restart loses no request of connections that are kept`() async throws {
        let socket = try ListeningSocket.internet()
        try await RunningProxy.run { config in
            try Program.activated(config, [socket.descriptor])
        } _: { proxy in
            let config = proxy.directory.appending(path: "config.conf")
            let isOver = Flag()
            let counts = Counts()
            try await withThrowingTaskGroup(of: Void.self) { group in
                defer { isOver.set() }
                for _ in 0..<8 {
                    group.addTask {
                        var connection = try await proxy.connect()
                        var hasMoved = false
                        while !isOver.isSet {
                            connection.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
                            let answer = try await connection.answer()
                            #expect([200, 503].contains(answer.status))
                            counts.asked.add(1, ordering: .relaxed)
                            guard answer.headers["connection"] == "close" else { continue }
                            connection.close()
                            connection = try await proxy.connect()
                            // The old process may have accepted this one too, in its last moment, and tell it the same.
                            if !hasMoved { counts.moved.add(1, ordering: .relaxed) }
                            hasMoved = true
                        }
                        connection.close()
                    }
                }
                try await eventually("requests at the first process") { counts.asked.load(ordering: .relaxed) > 50 }
                proxy.terminate()
                #expect(await proxy.exitCode() == 0)
                let next = try Program.activated(config, [socket.descriptor])
                let before = counts.asked.load(ordering: .relaxed)
                try await eventually("requests of all at the next process") {
                    counts.asked.load(ordering: .relaxed) > before + 50 && counts.moved.load(ordering: .relaxed) == 8
                }
                isOver.set()
                try await group.waitForAll()
                next.terminate()
                #expect(await next.exitCode() == 0)
            }
        }
    }
}

/// Requests that were answered, and clients that have been told to connect anew.
private final class Counts: Sendable {
    let asked = Atomic(0)
    let moved = Atomic(0)
}

/// Tells the clients of a load to stop.
private final class Flag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
}
