import NIOCore

/// Hands the whole requests of a connection to the task that answers them. Never more than one is waiting: the next is read when that has
/// been answered.
final class RequestMailbox: RequestReceiver, Sendable {
    @safe private enum State {
        case empty
        case holds(ClientRequest)
        case awaited(UnsafeContinuation<ClientRequest?, Never>)
        /// Nothing comes any more; the last request may not have been taken yet.
        case finished(ClientRequest?)
    }
    private let state: NIOLoopBoundBox<State>
    /// Who answers, while it does.
    private let server: NIOLoopBoundBox<RunningTask?>
    private let loop: any EventLoop

    init(on loop: any EventLoop) {
        self.loop = loop
        state = .makeBoxSendingValue(.empty, eventLoop: loop)
        server = .makeBoxSendingValue(nil, eventLoop: loop)
    }

    /// Has the requests answered, one after the other, until there are no more. The task, which has to be on the event loop, is cancelled
    /// when `departure` is complete.
    func serve(until departure: EventLoopFuture<Void>, _ answer: (ClientRequest) async -> Void) async {
        await withTaskCancellationHandler {
            unsafe await withUnsafeCurrentTask { task in
                server.value = unsafe task.map(RunningTask.init)
                departure.whenComplete { _ in self.server.value?.cancel() }
                while let request = await next() { await answer(request) }
                server.value = nil
            }
        } onCancel: {
            // Once for all requests of the connection: whoever waits for the next one is told that there is none.
            loop.execute { self.finish() }
        }
    }

    /// On the event loop.
    func put(_ request: ClientRequest) {
        switch state.value {
        case .awaited(let waiter):
            state.value = .empty
            unsafe waiter.resume(returning: request)
        case .empty, .holds: state.value = .holds(request)
        case .finished: break
        }
    }

    /// On the event loop: no further request will come.
    func finish() {
        switch state.value {
        case .awaited(let waiter):
            state.value = .finished(nil)
            unsafe waiter.resume(returning: nil)
        case .empty: state.value = .finished(nil)
        case .holds(let request): state.value = .finished(request)
        case .finished: break
        }
    }

    /// The next request, nil when there is none any more. By one task; `serve` sees to its cancellation.
    nonisolated(nonsending) func next() async -> ClientRequest? {
        // Unsafe, but resumed exactly once: whoever resumes it has taken it out of the state before.
        unsafe await withUnsafeContinuation { waiter in
            if loop.inEventLoop { unsafe wait(waiter) } else { loop.execute { unsafe self.wait(waiter) } }
        }
    }

    private func wait(_ waiter: UnsafeContinuation<ClientRequest?, Never>) {
        switch state.value {
        case .holds(let request):
            state.value = .empty
            unsafe waiter.resume(returning: request)
        case .finished(let request):
            state.value = .finished(nil)
            unsafe waiter.resume(returning: request)
        case .empty: state.value = unsafe .awaited(waiter)
        case .awaited: unsafe waiter.resume(returning: nil)
        }
    }
}

/// Takes the requests of a connection, on its event loop.
protocol RequestReceiver {
    func put(_ request: ClientRequest)
    /// No further request will come.
    func finish()
}
