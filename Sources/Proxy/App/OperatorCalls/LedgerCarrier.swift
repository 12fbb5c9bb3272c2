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
    let opener: LedgerOpener?
    /// What the ledger has to say to the operator.
    let log: @Sendable (String) -> Void

    /// By which the ledger's audit knows the command line.
    static let actor = "command line"
    /// For the ledger to write what is left.
    private static let closing = Duration.seconds(10)

    /// Answers a call, and hands the answer on while the ledger is open.
    ///
    /// - Parameter silence: why nobody answers over the network: with the address.
    func send<Result: Sendable>(
        _ call: OperatorCall, after silence: String, _ read: @Sendable (OperatorAnswer) async throws -> Result
    ) async throws -> Result {
        let prices: PriceTable
        do {
            prices = try source.prices(settings.ledger)
        } catch {
            throw ExitError(.badConfiguration, error.description)
        }
        let ledger = try await open(for: call, after: silence)
        let result: Swift.Result<Result, any Error>
        do {
            result = .success(try await answer(call, from: ledger, by: Prices(prices), read))
        } catch {
            result = .failure(error)
        }
        await ledger.close(within: Self.closing)
        return try result.get()
    }

    private func answer<Result: Sendable>(
        _ call: OperatorCall, from ledger: any Ledger, by prices: Prices,
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
            return try await read(OperatorAnswer(of: try await clients.ask(request)))
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
                    LedgerRoute(ledger: ledger, time: time, prices: LedgerPrices(prices, by: settings)))),
            counters: RequestCounters(), time: time,
            logger: Logger(label: "command") { _ in SwiftLogNoOpLogHandler() })
    }
}

// MARK: Opening

extension LedgerCarrier {
    /// Where services of this program keep their ledgers (`configs/ociai-proxy.service`).
    private static let serviceDirectory = "/var/lib/ociai-proxy"

    private func open(for call: OperatorCall, after silence: String) async throws -> any Ledger {
        guard
            let (directory, isNamed) = settings.ledger.place(
                stateDirectory: source.environment["STATE_DIRECTORY"], configuration: source.directory)
        else {
            throw ExitError(
                .badConfiguration,
                "\(silence), and \(source.file) has state_dir = off, so that there is no ledger with keys and requests; set state_dir to a directory"
            )
        }
        guard let opener else {
            throw ExitError(.cannotBind, "\(silence), and this program was built without the ledger; start the proxy")
        }
        try checkPlace(directory, isNamed: isNamed, for: call, after: silence)
        let options = try settings.ledger.options(in: directory, of: source.path) { [log] in log($1) }
        return try await open(options, by: opener, after: silence)
    }

    private func open(_ options: LedgerOptions, by opener: LedgerOpener, after silence: String) async throws
        -> any Ledger
    {
        do throws(LedgerUnavailable) {
            return try await opener(options)
        } catch {
            try Task.checkCancellation()
            guard error.isInUse else { throw ExitError(.cannotBind, "\(silence), and \(error.reason)") }
            throw ExitError(
                .cannotBind,
                "the ledger in \(options.directory) is in use by \(error.holder.map { "process \($0)" } ?? "another process"), but \(silence); if that is the proxy, name its address by -port and -host as it was started with, or restart it with the present configuration; if it is another command, wait for its end"
            )
        }
    }

    /// Files that this user makes in somebody else's directory could not be opened by the proxy.
    private func checkPlace(_ directory: String, isNamed: Bool, for call: OperatorCall, after silence: String)
        throws(ExitError)
    {
        let file = KeyFileLookup.join(directory, "ociai-proxy.db")
        if SystemCall.status(of: file) == nil {
            if errno == EACCES {
                throw ExitError(
                    .cannotBind,
                    "\(silence), and this user may not look into \(directory), where the ledger is; run the command as the proxy's user or root"
                )
            }
            if !isNamed, SystemCall.status(of: Self.serviceDirectory) != nil {
                throw ExitError(
                    .cannotBind,
                    "\(silence), and beside \(source.file) there is no ledger; the one of a service is in its own directory: run the command as the service's user with STATE_DIRECTORY=\(Self.serviceDirectory) in the environment, or set state_dir in \(source.file)"
                )
            }
            guard call.beginsLedger else {
                throw ExitError(
                    .cannotBind,
                    "\(silence), and there is no ledger in \(directory) yet; start the proxy, or create a key first")
            }
        }
        guard let owner = (SystemCall.status(of: file) ?? SystemCall.status(of: directory))?.st_uid else { return }
        guard owner != geteuid() else { return }
        let name = SystemCall.userName(of: owner)
        throw ExitError(
            .cannotBind,
            "\(silence), and the ledger in \(directory) belongs to the user \(name): run the command as that user (sudo -u \(name) ociai-proxy ...), or start the proxy"
        )
    }
}

// MARK: The answer

extension OperatorAnswer {
    /// - Throws: `CancellationError` when there is none, as the task has been cancelled.
    fileprivate init(of connection: InProcessConnection) async throws {
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
        self.init(status: Int(head.status.code)) { try await body.next() }
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
