import Logging
import NIOHTTP1
import NIOPosix
import ProxyAccounting
import ProxyRouting

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Answers calls by the ledger itself, with the endpoints of the proxy, where no proxy runs.
///
/// It has the ledger for the time of one call, as a proxy would have it: one that is started meanwhile finds it in use.
struct LedgerCarrier: Sendable {
    let source: ConfigurationSource
    let settings: Settings
    /// The ledger's directory, by the command line.
    let stateDirectory: String?
    let opener: LedgerOpener?
    /// What the ledger has to say to the operator.
    let log: @Sendable (String) -> Void

    /// By which the ledger's audit knows the command line.
    static let actor = "command line"
    /// For the ledger to write what is left.
    private static let closing = Duration.seconds(10)

    /// Answers a call, and hands the answer on while the ledger is open.
    ///
    /// - Parameter silence: why no proxy answers over the network, as a clause with the address.
    func send<Result: Sendable>(
        _ call: OperatorCall, after silence: String, _ read: @Sendable (OperatorAnswer) async throws -> Result
    ) async throws -> Result {
        let prices: PriceTable
        do {
            let read = try source.prices(settings.ledger)
            for issue in read.issues { log("warning: \(issue)") }
            prices = read.table
        } catch {
            throw ExitError(.badConfiguration, error.description)
        }
        let place: LedgerPlace
        let owner: (user: uid_t, group: gid_t)?
        do throws(ExitError) {
            place = try LedgerPlace(settings.ledger, of: source, named: stateDirectory)
            guard opener != nil else {
                throw ExitError(.cannotBind, "this program was built without the ledger; start the proxy")
            }
            owner = try place.owner(for: call, of: source)
        } catch {
            throw ExitError(error.code, "\(silence), and \(error)")
        }
        let isNew = SystemCall.status(of: place.file) == nil
        let isDisguised = try becomeOwner(owner, of: place, after: silence)
        defer { if isDisguised { Disguise.end() } }
        let ledger = try await open(place, after: silence)
        if isNew { log(beginning(place)) }
        let result: Swift.Result<Result, any Error>
        do {
            let origin = "the ledger in \(place.directory), as \(silence)"
            result = .success(try await answer(call, from: ledger, origin: origin, by: Prices(prices), read))
        } catch {
            result = .failure(error)
        }
        await ledger.close(within: Self.closing)
        return try result.get()
    }

    /// So that files are made as the proxy's user makes them.
    ///
    /// - Returns: whether this process acts as another user now.
    /// - Throws: `ExitError` when the files are another user's, and this process may not be that one.
    private func becomeOwner(_ owner: (user: uid_t, group: gid_t)?, of place: LedgerPlace, after silence: String)
        throws(ExitError) -> Bool
    {
        guard let owner, owner.user != geteuid() else { return false }
        if geteuid() == 0, Disguise.begin(as: owner.user, owner.group) { return true }
        let name = SystemCall.userName(of: owner.user)
        throw ExitError(
            .cannotBind,
            "\(silence), and the ledger in \(place.directory) belongs to the user \(name): run the command as root or as that user (sudo -u \(name) ociai-proxy ...), or start the proxy"
        )
    }

    private func beginning(_ place: LedgerPlace) -> String {
        let whose =
            place.origin == .besideFile
            ? ", beside \(source.file), as nothing names another directory: the proxy uses it when it is started by that file and without systemd's STATE_DIRECTORY"
            : ""
        return "A new ledger has begun in \(place.directory)\(whose)."
    }

    private func answer<Result: Sendable>(
        _ call: OperatorCall, from ledger: any Ledger, origin: String, by prices: Prices,
        _ read: @Sendable (OperatorAnswer) async throws -> Result
    ) async throws -> Result {
        CodecTypes.prepare()
        let managed = ManagedKeys(accounts: KeyAccounts())
        do {
            for key in try await ledger.keys() { managed.put(key) }
        } catch {
            throw ExitError(.cannotBind, "the managed keys cannot be read: \(error)")
        }
        let door = door(to: ledger, managed, by: prices)
        let clients = InProcessClients(on: MultiThreadedEventLoopGroup.singleton, drain: door.drain, door: { door })
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await clients.run() }
            defer {
                clients.close()
                tasks.cancelAll()
            }
            let request = OwnRequest(
                by: Self.caller, HTTPMethod(rawValue: call.method.rawValue), call.target, body: call.body)
            return try await read(OperatorAnswer(of: try await clients.ask(request), origin: origin))
        }
    }

    private static let caller: Caller = {
        var limits = KeyLimits()
        limits.role = .admin
        return Caller(name: actor, limits: limits)
    }()

    /// The endpoints that need the ledger alone. Whoever comes by it is the operator: nobody comes from outside.
    private func door(to ledger: any Ledger, _ managed: ManagedKeys, by prices: Prices) -> FrontDoor {
        let time = TimeSource.system
        // The key that the first start makes has its name already.
        let keys = settings.clientKeys + (settings.needsGeneratedKey ? [settings.generatedKey] : [])
        return FrontDoor(
            keys: ClientKeys(keys, accounts: KeyAccounts(), managed: managed, wallClock: time.wallClock),
            localAccess: LocalAccess(isEnabled: false, ownUser: 0, socketOwner: { _ in nil }),
            cors: CORS(origins: []), limits: FrontDoor.Limits(body: settings.limits.maxRequestSize, connections: 1),
            rates: RequestRates(),
            endpoints: EndpointTable(
                EndpointTable.books(
                    KeysRoute(fileKeys: keys, managed: managed, ledger: ledger, time: time),
                    LedgerRoute(ledger: ledger, time: time, prices: LedgerPrices(prices, by: settings)),
                    WhyRoute(
                        running: RunningRequests(), recent: ledger.recent, ledger: ledger, upstreams: .none,
                        time: time))),
            counters: RequestCounters(), time: time,
            logger: Logger(label: "command") { _ in SwiftLogNoOpLogHandler() })
    }
}

// MARK: Opening

extension LedgerCarrier {
    private func open(_ place: LedgerPlace, after silence: String) async throws -> any Ledger {
        guard let opener else { throw ExitError(.internalError, "internal error: there is no ledger to open") }
        var options = try settings.ledger.options(in: place.directory, of: source.path) { [log] in log($1) }
        options.isForCommand = true
        do throws(LedgerUnavailable) {
            return try await opener(options)
        } catch {
            try Task.checkCancellation()
            guard error.isInUse else {
                throw ExitError(.cannotBind, "\(silence), and the ledger cannot be used: \(error.reason)")
            }
            let holder = error.holder.map { "process \($0)" } ?? "another process"
            throw ExitError(
                .cannotBind,
                "\(holder) has the ledger in \(options.directory), and is not to be found: \(silence). If that process is the proxy, give this command the -port and -host that the proxy was started with, or restart the proxy with the present configuration; if it is another command, wait for its end"
            )
        }
    }
}

// MARK: The answer

extension OperatorAnswer {
    /// - Throws: `CancellationError` when there is none, as the task has been cancelled.
    fileprivate init(of connection: InProcessConnection, origin: String) async throws {
        var first: [UInt8]? = []
        var reading = await connection.read()
        first? += reading.bytes
        while reading.head == nil, !reading.isOver {
            reading = await connection.read()
            first? += reading.bytes
        }
        try Task.checkCancellation()
        guard let head = reading.head else { throw ExitError(.internalError, "internal error: there was no answer") }
        let body = OwnBody(connection, first: first)
        self.init(status: Int(head.status.code), origin: origin) { try await body.next() }
    }
}

/// The body of an answer of the process to itself.
private actor OwnBody {
    private let connection: InProcessConnection
    private var first: [UInt8]?

    init(_ connection: InProcessConnection, first: [UInt8]?) {
        self.connection = connection
        self.first = first
    }

    deinit { connection.leave() }

    func next() async throws -> [UInt8]? {
        if let first = first.take(), !first.isEmpty { return first }
        while true {
            let reading = await connection.read()
            try Task.checkCancellation()
            if !reading.bytes.isEmpty { return reading.bytes }
            guard reading.isOver else { continue }
            guard reading.isComplete else { throw TransportError.answerCut("the ledger cannot be read any further") }
            return nil
        }
    }
}
