import NIOCore
import NIOHTTP1
import Synchronization

/// A connection of the process to itself, for one request. Bytes of HTTP are not made: the parts of the response wait here until they are
/// read, and when they are many, whoever writes them waits, as for a slow client.
final class InProcessConnection: Sendable {
    /// Bytes that may wait before the writer does. What comes in one piece is taken whole.
    static let capacity = 64 << 10

    /// What is read at once.
    struct Reading: Sendable {
        /// Of the response; nil before there is one.
        var head: HTTPResponseHead?
        /// Of its body, since the last reading.
        var bytes: [UInt8] = []
        /// The response is whole.
        var isComplete = false
        /// The request is over, and nothing comes any more.
        var isOver = false
    }

    private struct State {
        var present = Reading()
        /// Nothing is written any more.
        var isClosed = false
        /// Nobody reads any more.
        var isAbandoned = false
        var reader: CheckedContinuation<Void, Never>?
        var writers: [EventLoopPromise<Void>] = []

        /// There is something to read, or nothing will be.
        var hasNews: Bool { !present.bytes.isEmpty || isClosed || isAbandoned }

        /// - Returns: who waits for the client, and is to be told that it has gone.
        mutating func abandon() -> [EventLoopPromise<Void>] {
            isAbandoned = true
            present.bytes = []
            return takeWriters()
        }

        mutating func takeWriters() -> [EventLoopPromise<Void>] {
            defer { writers = [] }
            return writers
        }
    }

    let eventLoop: any EventLoop
    /// Succeeds when the client has left, or the connection is closed.
    let departure: EventLoopPromise<Void>
    private let state = Mutex(State())

    init(on eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        departure = eventLoop.makePromise()
    }

    deinit { departure.succeed() }

    // MARK: The client's side

    /// Waits for what has come since the last reading. For one task at a time. A task that is cancelled leaves.
    func read() async -> Reading {
        await withTaskCancellationHandler {
            while true {
                if let reading = take() { return reading }
                await withCheckedContinuation { park($0) }
            }
        } onCancel: {
            leave()
        }
    }

    /// The client wants nothing more: its request is cancelled.
    func leave() {
        let (reader, writers) = state.withLock { ($0.reader.take(), $0.abandon()) }
        for writer in writers { writer.fail(ChannelError.ioOnClosedChannel) }
        departure.succeed()
        reader?.resume()
    }

    private func take() -> Reading? {
        let (reading, writers) = state.withLock { state -> (Reading?, [EventLoopPromise<Void>]) in
            guard state.hasNews else { return (nil, []) }
            var reading = state.present
            reading.isOver = state.isClosed || state.isAbandoned
            state.present.bytes = []
            return (reading, state.takeWriters())
        }
        for writer in writers { writer.succeed() }
        return reading
    }

    private func park(_ reader: CheckedContinuation<Void, Never>) {
        let isNeedless = state.withLock { state in
            if state.hasNews { return true }
            state.reader = reader
            return false
        }
        if isNeedless { reader.resume() }
    }

    // MARK: The server's side

    /// The client takes more.
    var isWritable: Bool { state.withLock { $0.present.bytes.count < Self.capacity } }

    /// Somebody writes, and somebody reads.
    var isActive: Bool { state.withLock { !$0.isClosed && !$0.isAbandoned } }

    /// Nothing more is written. What has been is there to be read.
    func close() {
        let (reader, writers) = state.withLock { state in
            state.isClosed = true
            return (state.reader.take(), state.takeWriters())
        }
        for writer in writers { writer.fail(ChannelError.ioOnClosedChannel) }
        departure.succeed()
        reader?.resume()
    }

    private func wakeReader() { state.withLock { $0.reader.take() }?.resume() }
}

extension InProcessConnection: ResponseWriter {
    func write(_ head: HTTPResponseHead) { state.withLock { $0.present.head = head } }

    func write(_ piece: ByteBuffer, promise: EventLoopPromise<Void>?) {
        let outcome = state.withLock { state -> Result<Bool, any Error> in
            if state.isAbandoned || state.isClosed { return .failure(ChannelError.ioOnClosedChannel) }
            state.present.bytes.append(contentsOf: piece.readableBytesView)
            guard let promise, !state.present.bytes.isEmpty else { return .success(true) }
            state.writers.append(promise)
            return .success(false)
        }
        switch outcome {
        case .success(let isTaken): if isTaken { promise?.succeed() }
        case .failure(let error): promise?.fail(error)
        }
    }

    func write(_ piece: [UInt8]) {
        state.withLock { state in
            if !state.isAbandoned { state.present.bytes.append(contentsOf: piece) }
        }
    }

    func writeEnd() {
        state.withLock { $0.present.isComplete = true }
        wakeReader()
    }

    func flush() { wakeReader() }
}
