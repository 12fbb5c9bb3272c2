import Foundation
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import ProxyAccounting
import ProxyTestSupport
import Synchronization
import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct AlertTests {
    private func alert(_ subject: String = "a", _ kind: Alert.Kind = .upstreamDown) -> Alert {
        Alert(kind: kind, subject: subject, message: "\(subject) is down")
    }

    // MARK: Once an hour

    @Test func `A subject is told of once an hour, and that it is silenced once`() {
        var book = AlertBook()
        #expect(book.note(alert(), at: .zero) == .send)
        #expect(book.note(alert(), at: .seconds(1)) == .silence(isFirst: true))
        #expect(book.note(alert(), at: .seconds(3599)) == .silence(isFirst: false))
        #expect(book.note(alert("b"), at: .seconds(2)) == .send)
        #expect(book.note(alert("a", .budgetHard), at: .seconds(2)) == .send)
        #expect(book.note(alert(), at: .seconds(3600)) == .send)
        #expect(book.note(alert(), at: .seconds(3601)) == .silence(isFirst: true))
    }

    @Test func `However many subjects there are, what is kept is bounded`() {
        var book = AlertBook()
        for number in 0..<(AlertBook.capacity * 2) {
            #expect(book.note(alert("\(number)"), at: .milliseconds(number)) == .send)
        }
        #expect(book.note(alert("0"), at: .seconds(30)) == .send, "the oldest are forgotten")
        #expect(book.note(alert("\(AlertBook.capacity * 2 - 1)"), at: .seconds(30)) == .silence(isFirst: true))
    }

    @Test func `A document has what SPEC names, and figures`() throws {
        var alert = alert("team \"a\"", .budgetSoft)
        alert.figures = [("spent", .number(5)), ("budget", .text("5 USD per day"))]
        let document = RaisedAlert(alert: alert, at: 1_767_225_600).document
        #expect(
            String(decoding: document, as: UTF8.self)
                == #"{"type":"budget_soft","subject":"team \"a\"","at":"2026-01-01T00:00:00Z","message":"team \"a\" is down","spent":5,"budget":"5 USD per day"}"#
        )
        #expect(
            Set(Alert.Kind.allCases.map(\.rawValue)) == [
                "budget_soft", "budget_hard", "upstream_down", "all_down", "model_retiring", "certificate", "ledger",
            ])
    }

    @Test func `Those that are sent wait for who delivers them, and are shown`() async {
        let time = ManualTime()
        let alerts = Alerts(time: time.source, logger: .silent)
        alerts.raise(alert("nobody delivers"))
        alerts.deliver(true)
        for number in 0..<30 { alerts.raise(alert("\(number)")) }
        alerts.raise(alert("29"))
        #expect(alerts.recent.count == 20 && alerts.recent.first?.alert.subject == "29")
        #expect(alerts.next(for: .webhook)?.alert.subject == "0" && alerts.next(for: .command)?.alert.subject == "0")
    }

    @Test func `Where too many wait, those of keys go first`() {
        var outbox = AlertOutbox()
        func add(_ subject: String, _ kind: Alert.Kind) -> String? {
            outbox.add(RaisedAlert(alert: alert(subject, kind), at: 0))?.alert.subject
        }
        #expect(add("down", .allDown) == nil)
        for number in 1..<AlertOutbox.capacity { #expect(add("\(number)", .budgetHard) == nil) }
        #expect(add("new", .budgetHard) == "1")
        #expect(add("up", .upstreamDown) == "2")
        #expect(outbox.waiting.count == AlertOutbox.capacity && outbox.next()?.alert.subject == "down")
        var others = AlertOutbox()
        for number in 0...AlertOutbox.capacity {
            let lost = others.add(RaisedAlert(alert: alert("\(number)"), at: 0))
            #expect(lost?.alert.subject == (number == AlertOutbox.capacity ? "0" : nil))
        }
    }

    // MARK: What is worth one

    private func look(_ states: [WindowSource.Word], at now: Int64 = 0) -> AlertRules.Look {
        var look = AlertRules.Look(at: now)
        look.upstreams = states.enumerated().map { .init(id: "u\($0)", state: $1) }
        return look
    }

    @Test func `An upstream is down when it has been so for two looks`() {
        var rules = AlertRules()
        #expect(rules.alerts(for: look([.ready, .open])).isEmpty)
        let alerts = rules.alerts(for: look([.ready, .open]))
        #expect(alerts.map(\.kind) == [.upstreamDown] && alerts.map(\.subject) == ["u1"])
        #expect(rules.alerts(for: look([.ready, .open])) == alerts, "until it could be told")
        rules.wasSent(alerts[0])
        #expect(rules.alerts(for: look([.ready, .open])).isEmpty, "it has been told")
        #expect(rules.alerts(for: look([.ready, .ready])).isEmpty)
        #expect(rules.alerts(for: look([.ready, .unhealthy])).isEmpty)
        #expect(rules.alerts(for: look([.ready, .unhealthy])).map(\.subject) == ["u1"])
    }

    @Test func `That none serves is another alert`() {
        var rules = AlertRules()
        _ = rules.alerts(for: look([.cooling, .open]))
        let alerts = rules.alerts(for: look([.cooling, .open]))
        #expect(Set(alerts.map(\.kind)) == [.upstreamDown, .allDown])
        for alert in alerts { rules.wasSent(alert) }
        #expect(rules.alerts(for: look([.cooling, .open])).isEmpty)
        #expect(rules.alerts(for: look([])).isEmpty, "there is nobody to be down")
        for word in [WindowSource.Word.full, .halfOpen, .ready] {
            #expect(rules.alerts(for: look([word, .cooling])).isEmpty)
        }
    }

    @Test func `A model that goes is told of 30, 14, 7 and 1 days before`() {
        var rules = AlertRules()
        let day: Int64 = 86_400
        let end = 100 * day
        var told: [Int64] = []
        for hour in 0..<(100 * 24 + 48) as Range<Int64> {
            var look = AlertRules.Look(at: hour * 3600)
            look.models = [.init(name: "old", retires: end, successor: "new"), .init(name: "other", retires: end * 9)]
            for alert in rules.alerts(for: look) {
                #expect(alert.kind == .modelRetiring && alert.subject == "old")
                #expect(alert.message.contains("'new' takes over"))
                told.append((end - hour * 3600) / day)
            }
        }
        #expect(told == [30, 14, 7, 1])
    }

    @Test func `A certificate is told of each day from fourteen days before, and when it has expired`() {
        var rules = AlertRules()
        func alerts(hour: Int64, until days: Int64 = 20) -> [Alert] {
            var look = AlertRules.Look(at: hour * 3600)
            look.certificate = ("/etc/cert.pem", days * 86_400)
            return rules.alerts(for: look)
        }
        var told: [Int64] = []
        for hour in 0..<Int64(22 * 24) {
            for alert in alerts(hour: hour) {
                #expect(alert.kind == .certificate && alert.subject == "/etc/cert.pem")
                #expect(alert.message.contains("expired at") == (hour >= 20 * 24))
                told.append(hour)
            }
        }
        #expect(told.first == 6 * 24 && (15...17).contains(told.count), "\(told)")
        #expect(alerts(hour: 22 * 24, until: 90).isEmpty, "it has been renewed")
        #expect(alerts(hour: 80 * 24, until: 90).count == 1)
    }

    @Test func `A ledger that loses rows is told of`() {
        var rules = AlertRules()
        func alerts(dropped: Int, _ problem: String? = nil) -> [Alert] {
            var look = AlertRules.Look(at: 0)
            var figures = LedgerFigures()
            (figures.dropped, figures.problem) = (dropped, problem)
            look.ledger = figures
            return rules.alerts(for: look)
        }
        #expect(alerts(dropped: 0).isEmpty)
        #expect(alerts(dropped: 3).map(\.kind) == [.ledger])
        #expect(alerts(dropped: 3).isEmpty)
        #expect(alerts(dropped: 3, "disk full").first?.message.contains("disk full") == true)
    }

    @Test func `An outage within an hour of another is told of when the hour is over`() {
        let time = ManualTime()
        let alerts = Alerts(time: time.source, logger: .silent)
        var rules = AlertRules()
        var told: [Int] = []
        for minute in 0..<180 {
            // A short one, and then one for good.
            let state = [3, 4].contains(minute) || minute >= 10 ? WindowSource.Word.open : .ready
            for alert in rules.alerts(for: look([state])) where alerts.raise(alert) {
                rules.wasSent(alert)
                told.append(minute)
            }
            time.advance(by: .seconds(60))
        }
        #expect(told == [4, 4, 64, 64], "of the upstream, and of all")
    }

    // MARK: By keys

    @Test func `A spent budget is told of`() async throws {
        let time = ManualTime()
        let alerts = Alerts(time: time.source, logger: .silent)
        var limits = KeyLimits()
        limits.hardBudgets = try BudgetText.budgets("1 tokens per day")
        let accounts = KeyAccounts()
        accounts.account(of: "team").charge(tokens: 5, cost: 0, time.source.wallClock())
        let door = try FrontDoor.fixture(
            over: try Router.fixture(time: time.source), time: time.source,
            keys: [ClientKey(name: "team", value: Secret("team-key"), limits: limits)], keyAccounts: accounts,
            alerts: alerts)
        for _ in 0..<3 {
            let answer = try await door.answer(
                .POST, "/v1/chat/completions",
                #"{"model":"grok-4","messages":[{"role":"user","content":"a long enough prompt"}]}"#, key: "team-key")
            #expect(answer.status == 429)
        }
        #expect(alerts.recent.map(\.alert.kind) == [.budgetHard] && alerts.recent.first?.alert.subject == "team")
    }

    // MARK: Delivery

    /// A receiver is to take an alert, so many seconds after the first one.
    private struct Call: Equatable, Sendable {
        let subject: String
        let receiver: AlertReceiver
        let second: Int64
    }

    /// Delivers alerts, on a clock that leaps over each pause, until there have been enough calls.
    private func calls(
        delivering subjects: [String], logger: Logger = .silent,
        taken: @escaping @Sendable (Call, Alerts) async -> Bool, until isEnough: ([Call]) -> Bool
    ) async -> [Call] {
        let time = LeapingTime()
        let alerts = Alerts(time: time.source, logger: .silent)
        let start = time.source.wallClock()
        let (calls, called) = AsyncStream.makeStream(of: Call.self)
        let delivery = AlertDelivery(
            alerts: alerts,
            pass: { alert, receiver in
                let call = Call(
                    subject: alert.alert.subject, receiver: receiver, second: time.source.wallClock() - start)
                called.yield(call)
                guard await taken(call, alerts) else { throw AlertFailure("it is away") }
            }, time: time.source, logger: logger)
        alerts.deliver(true)
        for subject in subjects { alerts.raise(alert(subject)) }
        let task = Task { await delivery.run() }
        defer { task.cancel() }
        var made: [Call] = []
        for await call in calls {
            made.append(call)
            if isEnough(made) { break }
        }
        return made
    }

    @Test func `One that nobody takes is tried soon, then each minute, and given up after an hour`() async {
        let lines = LogBook()
        let made = await calls(
            delivering: ["a"], logger: lines.logger,
            taken: { call, alerts in
                if call.receiver == .command || call.subject == "b" { return true }
                // In the last try of the last round: whether there is another one shows behind this.
                if call.second == 3612 { alerts.raise(alert("b")) }
                return false
            }, until: { calls in calls.contains { $0.subject == "b" && $0.receiver == .webhook } })
        let tries = made.filter { $0.receiver == .webhook }
        #expect(tries.prefix(6).map(\.second) == [0, 2, 12, 72, 74, 84])
        #expect(tries.count == 51 * 3 + 1 && tries.last?.second == 3612)
        let words = lines.lines.map(\.message)
        #expect(words.count == 4, "the first round's, and the end: \(words)")
        #expect(words.last?.hasSuffix("it is not tried again") == true)
    }

    @Test func `A webhook that is away for a while gets all of it when it is back`() async {
        let made = await calls(
            delivering: ["a", "b"], taken: { call, _ in call.receiver == .command || call.second >= 600 },
            until: { calls in calls.count { $0.receiver == .command || $0.second >= 600 } == 4 })
        #expect(made.filter { $0.receiver == .command }.map(\.subject) == ["a", "b"], "which waits for nobody")
        #expect(Set(made.filter { $0.second >= 600 && $0.receiver == .webhook }.map(\.subject)) == ["a", "b"])
    }

    @Test(arguments: AlertReceiver.allCases)
    func `A receiver that hangs keeps nothing from the other`(hanging: AlertReceiver) async {
        let made = await calls(
            delivering: ["a", "b"],
            taken: { call, _ in
                // Until the delivery is cancelled.
                if call.receiver == hanging { try? await ManualTime().source.sleep(for: .seconds(1)) }
                return true
            }, until: { calls in calls.count { $0.receiver != hanging } == 2 && calls.count == 3 })
        #expect(made.filter { $0.receiver != hanging }.map(\.subject) == ["a", "b"])
    }

    @Test(arguments: [204, 503])
    func `A webhook gets the document, and must answer with success`(status: Int) async throws {
        let transport = FakeTransport { _ in TransportResponse(status: status, headers: [:], body: .fed(["secret"])) }
        let destinations = AlertDestinations(
            settings: { .init(webhook: Secret("https://hooks.example/T0/secret"), command: nil) },
            transport: { transport }, time: ManualTime().source)
        do {
            try await destinations.pass(RaisedAlert(alert: alert(), at: 0), to: .webhook)
            #expect(status == 204)
        } catch {
            #expect(AlertFailure.words(error) == "it answered with status 503" && status == 503)
        }
        try await destinations.pass(RaisedAlert(alert: alert(), at: 0), to: .command)
        let request = try #require(transport.requests.first)
        #expect(transport.requests.count == 1, "there is no command")
        #expect(request.method == .POST && request.url == "https://hooks.example/T0/secret")
        #expect(request.headers["content-type"] == ["application/json"])
        #expect(request.body.map { String(buffer: $0) }?.contains(#""type":"upstream_down""#) == true)
    }

    private func temporaryFile() -> String {
        FileManager.default.temporaryDirectory.appendingPathComponent("alert-\(UUID())").path
    }

    @Test func `A command gets the document on its input`() async throws {
        let file = temporaryFile()
        defer { try? FileManager.default.removeItem(atPath: file) }
        try await AlertCommand().run("cat > '\(file)'; echo done >> '\(file)'", Array("{\"a\":1}".utf8), on: .system)
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "{\"a\":1}done\n")
    }

    @Test(arguments: [("exit 3", "status 3"), ("kill -9 $$", "signal 9"), ("no-such-program-here", "status 127")])
    func `A command that fails is told of`(line: String, words: String) async throws {
        do {
            try await AlertCommand().run(line, [], on: .system)
            #expect(Bool(false), "it was to fail")
        } catch let error as AlertFailure {
            #expect(error.words.contains(words), "\(error.words)")
        }
    }

    @Test func `A command that hangs is killed, with what it has started`() async throws {
        let command = AlertCommand(limit: .milliseconds(300))
        await #expect(throws: AlertFailure.self) {
            try await command.run("sleep 1000 & sleep 1000", Array("x".utf8), on: .system)
        }
    }

    @Test func `A command inherits no secret`() async throws {
        let file = temporaryFile()
        defer { try? FileManager.default.removeItem(atPath: file) }
        // Nor anything that is open here: a listener that is held keeps the next start from its port.
        let listener = try await ServerBootstrap(group: NIOSingletons.posixEventLoopGroup).bind(
            host: "127.0.0.1", port: 0
        ).get()
        try await AlertCommand().run("env > '\(file)'; ls -l /proc/self/fd >> '\(file)'", [], on: .system)
        try await listener.close()
        let text = try String(contentsOfFile: file, encoding: .utf8)
        #expect(!text.contains("HOME=") && text.contains("PATH="))
        #expect(!text.contains("socket:") && !text.contains("eventpoll"), "\(text)")
    }
}
