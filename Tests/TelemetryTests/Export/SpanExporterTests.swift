import Synchronization
import Testing

@testable import ProxyTelemetry

@Suite struct SpanExporterTests {
    /// Runs the exporter while something is done with it.
    private func running(
        _ exporter: SpanExporter, _ body: () async throws -> Void
    ) async rethrows {
        let run = Task { await exporter.run() }
        defer { run.cancel() }
        try await body()
        run.cancel()
        await run.value
    }

    @Test func `With telemetry off there is none of it`() {
        let world = SpanExporter.Surroundings(
            now: { .zero }, sleep: { _ in }, send: { _, _, _, _ in SpanExporter.Reply(status: 200) },
            tell: { _, _ in })
        let exporter = SpanExporter(nil, world)
        exporter?.record(Samples.spans(1...1))
        #expect(exporter == nil)
    }

    @Test func `Spans are sent when the oldest has waited for five seconds`() async throws {
        let collector = FakeCollector()
        let exporter = try collector.exporter(headers: [SecretHeader(name: "api-key", value: "k")])
        await running(exporter) {
            exporter.record(Samples.spans(1...2))
            #expect(await eventually { collector.clock.alarms == [.seconds(5)] })
            collector.clock.advance(by: .seconds(4))
            exporter.record(Samples.spans(3...3))
            #expect(collector.requests.isEmpty && exporter.figures.queued == 3)
            collector.clock.advance(by: .seconds(1))
            #expect(await eventually { exporter.figures.exported == 3 })
        }
        let request = try #require(collector.requests.first)
        #expect(collector.requests.count == 1 && request.spans == [1, 2, 3] && request.moment == .seconds(5))
        #expect(request.url == "http://c/v1/traces?key=secret-word" && request.timeout == .seconds(10))
        #expect(
            request.headers == [
                "api-key": "k", "content-type": "application/x-protobuf", "user-agent": "ociai-proxy/1.2.3",
            ])
        #expect(exporter.figures.queued == 0 && exporter.figures.underWay == 0 && exporter.figures.dropped.isEmpty)
        #expect(collector.told.isEmpty)
    }

    @Test func `A full batch is sent at once, and the rest waits`() async throws {
        let collector = FakeCollector()
        let exporter = try collector.exporter()
        await running(exporter) {
            #expect(await eventually { collector.clock.alarms.isEmpty })
            exporter.record(Samples.spans(1...9))
            #expect(await eventually { collector.clock.alarms == [.seconds(5)] })
            exporter.record(Samples.spans(10...12))
            #expect(await eventually { exporter.figures.exported == 10 })
            #expect(await eventually { collector.clock.alarms == [.seconds(5)] })
            collector.clock.advance(by: .seconds(5))
            #expect(await eventually { exporter.figures.exported == 12 })
        }
        #expect(collector.requests.map(\.spans) == [Array(1...10), [11, 12]])
    }

    @Test func `What finds no room is dropped, counted and told of`() async throws {
        let collector = FakeCollector([.silence])
        let exporter = try collector.exporter(capacity: 20)
        await running(exporter) {
            exporter.record(Samples.spans(1...10))
            #expect(await eventually { collector.requests.count == 1 })
            exporter.record(Samples.spans(11...30))
            exporter.record(Samples.spans(31...33))
            #expect(exporter.figures.queued == 20 && exporter.figures.underWay == 10)
            #expect(exporter.figures.dropped == [.queueFull: 3])
            collector.clock.advance(by: .seconds(10))
            #expect(await eventually { collector.clock.alarms == [.seconds(11)] })
            collector.clock.advance(by: .seconds(1))
            #expect(await eventually { exporter.figures.exported == 30 })
        }
        #expect(collector.told.count == 1 && collector.told[0].contains("3 were dropped"))
    }

    @Test func `A failure is tried again after longer and longer pauses, then told of once`() async throws {
        let collector = FakeCollector(
            Array(repeating: .reply(503), count: 4) + [.refuse, .refuse, .reply(401), .reply(200)])
        let exporter = try collector.exporter()
        await running(exporter) {
            exporter.record(Samples.spans(1...10))
            for (count, pause) in [(1, 1), (2, 2), (3, 4), (4, 8)] {
                #expect(await eventually { collector.requests.count == count && !collector.clock.alarms.isEmpty })
                #expect(collector.clock.alarms == [collector.clock.now + .seconds(pause)])
                #expect(collector.told.isEmpty)
                collector.clock.advance(by: .seconds(pause))
            }
            #expect(await eventually { exporter.figures.dropped == [.unavailable: 10] })
            exporter.record(Samples.spans(11...20))
            #expect(await eventually { collector.requests.count == 6 && !collector.clock.alarms.isEmpty })
            collector.clock.advance(by: .seconds(1))
            #expect(await eventually { exporter.figures.dropped == [.unavailable: 10, .refused: 10] })
            exporter.record(Samples.spans(21...30))
            #expect(await eventually { exporter.figures.exported == 10 })
        }
        #expect(collector.requests.count == 8)
        #expect(
            collector.told == [
                "warning: Spans cannot be sent to http://c/v1/traces: connection refused. "
                    + "They are dropped until it works again",
                "info: Spans are sent to http://c/v1/traces again; 20 were dropped meanwhile",
            ])
    }

    @Test func `A collector that says when is believed`() async throws {
        let collector = FakeCollector([.reply(429, retryAfter: .seconds(20))])
        let exporter = try collector.exporter()
        await running(exporter) {
            exporter.record(Samples.spans(1...10))
            #expect(await eventually { collector.clock.alarms == [.seconds(20)] })
            // What comes meanwhile, and wakes it, does not make it come sooner.
            exporter.record(Samples.spans(11...20))
            for _ in 0..<1_000 { await Task.yield() }
            #expect(collector.requests.count == 1)
            collector.clock.advance(by: .seconds(20))
            #expect(await eventually { exporter.figures.exported == 20 })
        }
        #expect(collector.requests.map(\.moment) == [.zero, .seconds(20), .seconds(20)])
        #expect(collector.told.isEmpty)
    }

    @Test func `A collector that wants a minute is left alone for it`() async throws {
        let collector = FakeCollector([.reply(503, retryAfter: .seconds(60))])
        let exporter = try collector.exporter()
        await running(exporter) {
            exporter.record(Samples.spans(1...10))
            #expect(await eventually { exporter.figures.dropped == [.unavailable: 10] })
            exporter.record(Samples.spans(11...20))
            #expect(await eventually { collector.clock.alarms == [.seconds(60)] })
            collector.clock.advance(by: .seconds(60))
            #expect(await eventually { exporter.figures.exported == 10 })
        }
        #expect(collector.requests.map(\.moment) == [.zero, .seconds(60)])
    }

    @Test func `What a collector does not take is counted apart`() async throws {
        let partial: [UInt8] = [0x0A, 0x06, 0x08, 0x03, 0x12, 0x02, 0x6E, 0x6F]
        let collector = FakeCollector([.reply(200, body: partial), .reply(200, body: partial)])
        let exporter = try collector.exporter()
        await running(exporter) {
            exporter.record(Samples.spans(1...20))
            #expect(await eventually { exporter.figures.exported == 14 })
        }
        #expect(exporter.figures.dropped == [.rejected: 6])
        #expect(
            collector.told == [
                "warning: http://c/v1/traces has not taken 3 spans since it was last told of: no"
            ])
    }

    @Test func `The drain sends what waits, and then nothing is taken in`() async throws {
        let collector = FakeCollector()
        let exporter = try collector.exporter()
        let run = Task { await exporter.run() }
        exporter.record(Samples.spans(1...9))
        #expect(await eventually { collector.clock.alarms == [.seconds(5)] })
        await exporter.drain(within: .seconds(3))
        #expect(exporter.figures.exported == 9 && collector.requests.first?.timeout == .seconds(3))
        exporter.record(Samples.spans(10...10))
        #expect(exporter.figures.dropped == [.shutdown: 1] && collector.requests.count == 1)
        // It ends by itself.
        await run.value
        #expect(collector.told.isEmpty && collector.clock.alarms.isEmpty)
    }

    @Test func `The drain works without a run`() async throws {
        let collector = FakeCollector()
        let exporter = try collector.exporter()
        exporter.record(Samples.spans(1...25))
        await exporter.drain(within: .seconds(3))
        #expect(exporter.figures.exported == 25 && collector.requests.map(\.spans.count) == [10, 10, 5])
    }

    @Test func `The drain cuts a pause short`() async throws {
        let collector = FakeCollector([.reply(503, retryAfter: .seconds(20))])
        let exporter = try collector.exporter()
        let run = Task { await exporter.run() }
        exporter.record(Samples.spans(1...12))
        #expect(await eventually { collector.clock.alarms == [.seconds(20)] })
        await exporter.drain(within: .seconds(3))
        await run.value
        #expect(exporter.figures.exported == 12 && exporter.figures.dropped.isEmpty)
    }

    @Test func `The drain ends when its time is up, and counts what is left`() async throws {
        let collector = FakeCollector([.silence, .silence])
        let exporter = try collector.exporter()
        exporter.record(Samples.spans(1...15))
        let drain = Task { await exporter.drain(within: .seconds(3)) }
        #expect(await eventually { collector.requests.count == 1 && collector.clock.alarms.count == 2 })
        collector.clock.advance(by: .seconds(3))
        await drain.value
        let figures = exporter.figures
        #expect(figures.dropped == [.shutdown: 15] && figures.queued == 0 && figures.underWay == 0)
        #expect(!collector.told.isEmpty)
    }

    @Test func `A drain that is cancelled ends at once`() async throws {
        let collector = FakeCollector([.silence])
        let exporter = try collector.exporter()
        exporter.record(Samples.spans(1...15))
        let drain = Task { await exporter.drain(within: .seconds(3)) }
        #expect(await eventually { collector.requests.count == 1 && collector.clock.alarms.count == 2 })
        drain.cancel()
        await drain.value
        #expect(exporter.figures.dropped == [.shutdown: 15])
        #expect(collector.told == ["warning: 15 spans were not sent to http://c/v1/traces before the end"])
    }

    @Test func `A run that is cancelled half-way leaves its batch to the drain`() async throws {
        let collector = FakeCollector([.silence])
        let exporter = try collector.exporter()
        let run = Task { await exporter.run() }
        exporter.record(Samples.spans(1...10))
        #expect(await eventually { collector.requests.count == 1 && !collector.clock.alarms.isEmpty })
        run.cancel()
        await run.value
        #expect(exporter.figures.queued == 10 && exporter.figures.underWay == 0)
        await exporter.drain(within: .seconds(3))
        #expect(exporter.figures.exported == 10 && collector.requests.map(\.spans.count) == [10, 10])
        #expect(collector.told.isEmpty)
    }

    @Test func `A run that is cancelled in its last try loses nothing either`() async throws {
        let collector = FakeCollector(Array(repeating: .reply(503, retryAfter: .zero), count: 4) + [.silence])
        let exporter = try collector.exporter()
        let run = Task { await exporter.run() }
        exporter.record(Samples.spans(1...10))
        #expect(await eventually { collector.requests.count == 5 && !collector.clock.alarms.isEmpty })
        run.cancel()
        await run.value
        #expect(exporter.figures.queued == 10 && exporter.figures.dropped.isEmpty && collector.told.isEmpty)
    }

    @Test func `What comes while the run lies down wakes it`() async throws {
        let collector = FakeCollector()
        let place = Mutex<SpanExporter?>(nil)
        // Between its look at the queue and its sleep the run tells of what found no room.
        let exporter = try collector.exporter(capacity: 2, batch: 2) {
            place.withLock { $0 }?.record(Samples.spans(4...4))
        }
        place.withLock { $0 = exporter }
        exporter.record(Samples.spans(1...1))
        exporter.record(Samples.spans(2...3))
        await running(exporter) { #expect(await eventually { exporter.figures.exported == 2 }) }
        #expect(collector.requests.map(\.spans) == [[1, 4]] && collector.requests.map(\.moment) == [.zero])
        place.withLock { $0 = nil }
    }

    @Test func `A run with nothing to do ends when it is cancelled`() async throws {
        let exporter = try FakeCollector().exporter()
        for yields in [0, 1, 10, 1_000] {
            let run = Task { await exporter.run() }
            for _ in 0..<yields { await Task.yield() }
            run.cancel()
            await run.value
        }
    }

    @Test func `Many who record at once lose nothing`() async throws {
        let collector = FakeCollector()
        let exporter = try collector.exporter(capacity: 100_000, batch: 64)
        let run = Task { await exporter.run() }
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<16 {
                group.addTask {
                    for index in 0..<100 {
                        let first = UInt64(task * 1_000 + index * 3 + 1)
                        exporter.record(Samples.spans(first...(first + 2)))
                    }
                }
            }
        }
        await exporter.drain(within: .seconds(1))
        await run.value
        #expect(exporter.figures.exported == 4_800 && exporter.figures.dropped.isEmpty)
        #expect(Set(collector.requests.flatMap(\.spans)).count == 4_800)
    }

    @Test(arguments: 0..<20)
    func `Every span is accounted for, whatever the collector does`(seed: UInt64) async throws {
        var dice = Dice(seed)
        let answers = (0..<30).map { _ -> FakeCollector.Answer in
            switch Int.random(in: 0...6, using: &dice) {
            case 0: .reply(503)
            case 1: .reply(429, retryAfter: .seconds(Int.random(in: 0...40, using: &dice)))
            case 2: .reply(400)
            case 3: .refuse
            case 4: .silence
            case 5: .reply(200, body: [0x0A, 0x02, 0x08, UInt8.random(in: 0...20, using: &dice)])
            default: .reply(200)
            }
        }
        let collector = FakeCollector(answers)
        let exporter = try collector.exporter(capacity: 30, batch: 7)
        let run = Task { await exporter.run() }
        var recorded: UInt64 = 0
        for _ in 0..<60 {
            let count = UInt64.random(in: 1...9, using: &dice)
            exporter.record(Samples.spans((recorded + 1)...(recorded + count)))
            recorded += count
            for _ in 0..<Int.random(in: 0...200, using: &dice) { await Task.yield() }
            collector.clock.advance(by: .milliseconds(Int.random(in: 0...4_000, using: &dice)))
        }
        let drain = Task { await exporter.drain(within: .seconds(20)) }
        let isDone = Task {
            await drain.value
            await run.value
        }
        let ticker = Task {
            while !Task.isCancelled {
                for _ in 0..<50 { await Task.yield() }
                collector.clock.advance(by: .milliseconds(500))
            }
        }
        await isDone.value
        ticker.cancel()
        let figures = exporter.figures
        #expect(figures.queued == 0 && figures.underWay == 0)
        #expect(figures.exported + figures.dropped.values.reduce(0, +) == Int(recorded))
    }
}
