import NIOCore
import NIOPosix

/// The part of the client that lives on one event loop: its connections, kept and in use, and those that are being made.
final class LoopClient: ConnectionOwner {
    private let loop: any EventLoop
    private let connector: Connector
    private let quotas: IdleQuotas
    private var quotaOf: [Origin: IdleQuota] = [:]
    private var pool: IdlePool<UpstreamConnection>
    private var connections: [ObjectIdentifier: UpstreamConnection] = [:]
    private var attempts: [ObjectIdentifier: ConnectionAttempt] = [:]
    private var sweep: Scheduled<Void>?
    private var isShutDown = false
    private var whenEmpty: EventLoopPromise<Void>?

    init(on loop: any EventLoop, connector: Connector, idleTimeout: TimeAmount, quotas: IdleQuotas) {
        self.loop = loop
        self.connector = connector
        self.quotas = quotas
        pool = IdlePool(idleTimeout: idleTimeout)
    }

    /// Sends the request over a kept connection, or else over a new one.
    func start(_ exchange: UpstreamExchange) {
        if isShutDown { return exchange.fail(TransportError.connectionLost("the proxy is shutting down")) }
        // A kept connection may be closing in this moment, and what has been sent of such a request cannot be sent again.
        if exchange.isUpload { return connect(for: exchange) }
        while let connection = pool.take(exchange.origin, at: loop.now) {
            leftQuota(connection)
            if connection.isUsable { return connection.carry(exchange) }
        }
        connect(for: exchange)
    }

    private func connect(for exchange: UpstreamExchange) {
        let attempt = ConnectionAttempt(to: exchange.origin, on: loop, by: connector)
        exchange.connects(through: attempt)
        attempts[ObjectIdentifier(attempt)] = attempt
        attempt.start { result in
            self.attempts[ObjectIdentifier(attempt)] = nil
            switch result {
            case .success(let channel): self.use(channel, for: exchange)
            case .failure(let error): exchange.fail(TransportError.whileConnecting(to: exchange.origin, error))
            }
            self.noteEmptiness()
        }
    }

    private func use(_ channel: any Channel, for exchange: UpstreamExchange) {
        // It may have been closed in the moment it was ready; handlers that come later would never hear of that.
        guard channel.isActive else { return exchange.fail(TransportError.closed) }
        let connection = UpstreamConnection(to: exchange.origin, by: connector, owner: self)
        do {
            try channel.pipeline.syncOperations.addHandler(connection)
        } catch {
            channel.close(promise: nil)
            return exchange.fail(TransportError.whileConnecting(to: exchange.origin, error))
        }
        connections[ObjectIdentifier(connection)] = connection
        connection.carry(exchange)
    }

    // MARK: ConnectionOwner

    func isFree(_ connection: UpstreamConnection) {
        let quota = quota(of: connection.origin)
        let mayGrow = !isShutDown && quota.take()
        switch pool.park(connection, to: connection.origin, at: loop.now, mayGrow: mayGrow) {
        case .kept:
            connection.quota = quota
            scheduleSweep()
        case .keptInsteadOf(let older):
            (older.quota, connection.quota) = (nil, quota)
            older.close()
        case .refused:
            if mayGrow { quota.giveBack() }
            connection.close()
        }
    }

    func isClosing(_ connection: UpstreamConnection) {
        if connection.quota != nil, pool.remove(connection, to: connection.origin) { leftQuota(connection) }
    }

    func isGone(_ connection: UpstreamConnection) {
        isClosing(connection)
        connections[ObjectIdentifier(connection)] = nil
        noteEmptiness()
    }

    func sendAnew(_ exchange: UpstreamExchange) {
        if isShutDown { return exchange.fail(TransportError.closed) }
        connect(for: exchange)
    }

    // MARK: Keeping

    private func quota(of origin: Origin) -> IdleQuota {
        if let quota = quotaOf[origin] { return quota }
        let quota = quotas.quota(of: origin)
        quotaOf[origin] = quota
        return quota
    }

    private func leftQuota(_ connection: UpstreamConnection) {
        connection.quota?.giveBack()
        connection.quota = nil
    }

    private func scheduleSweep() {
        guard sweep == nil, let due = pool.nextExpiry else { return }
        sweep = loop.assumeIsolated().scheduleTask(deadline: due) {
            self.sweep = nil
            for connection in self.pool.expire(at: self.loop.now) {
                self.leftQuota(connection)
                connection.close()
            }
            self.scheduleSweep()
        }
    }

    /// Kept, in use, and being made: for tests and for those who ask what is open.
    var openCount: Int { connections.count + attempts.count }

    // MARK: The end

    /// Closes everything; completes when it is closed.
    func shutDown() -> EventLoopFuture<Void> {
        isShutDown = true
        sweep?.cancel()
        sweep = nil
        for attempt in attempts.values { attempt.cancel() }
        for connection in connections.values { connection.close() }
        let promise = whenEmpty ?? loop.makePromise()
        whenEmpty = promise
        noteEmptiness()
        return promise.futureResult
    }

    private func noteEmptiness() {
        guard isShutDown, connections.isEmpty, attempts.isEmpty else { return }
        whenEmpty?.succeed()
    }
}
