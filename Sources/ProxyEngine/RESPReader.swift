import CHiredis
package import ProxyCluster

/// Reads answers out of bytes as they come, by the parser of hiredis. It has no socket.
///
/// The bytes are a stranger's: an answer may have so many bytes, elements and levels and no more, and whatever breaks a bound or is not
/// version 2 of the protocol ends the reader for good. Memory is bounded by `Limits.bytes`, twice for a moment, and `Limits.elements`.
///
/// hiredis allocates nothing for answers here: its own functions for that would take room for as many elements as an answer claims to
/// have. It tells of each element in order, and the tree is put together when the answer is whole.
@safe package struct RESPReader: ~Copyable {
    package struct Limits: Sendable {
        /// Of one answer, its lengths and line ends among them.
        package var bytes = 8 << 20
        /// Of one answer, arrays among them.
        package var elements = 1 << 17
        /// Arrays within arrays. hiredis has 7 at most.
        package var depth = 4

        package init() {}
    }

    package enum Failure: Error, Equatable, Sendable {
        /// More bytes or elements than an answer may have, or deeper.
        case tooLarge
        /// Not version 2 of the protocol.
        case malformed
    }

    private let reader: UnsafeMutablePointer<redisReader>
    private let builder: RESPBuilder
    private let limits: Limits
    /// Fed since the last whole answer. Bytes behind that answer count as well, until they are read.
    private var unread = 0
    private var failure: Failure?

    package init(limits: Limits = Limits()) {
        builder = RESPBuilder(limits)
        self.limits = limits
        guard let reader = unsafe redisReaderCreateWithFunctions(RESPFunctions.shared.pointer) else {
            preconditionFailure("out of memory")
        }
        unsafe reader.pointee.privdata = unsafe Unmanaged.passUnretained(builder).toOpaque()
        unsafe self.reader = unsafe reader
    }

    deinit { unsafe redisReaderFree(reader) }

    /// Takes bytes as the connection has brought them: parts of answers, or many.
    ///
    /// - Returns: the answers that are whole now, in order.
    /// - Throws: a `Failure`, at once and from then on: the connection is to be closed. Answers before it in these bytes are lost.
    package mutating func feed(_ bytes: some Collection<UInt8>) throws(Failure) -> [RESP] {
        if let failure { throw failure }
        var answers: [RESP] = []
        var rest = Array(bytes)[...]
        // In pieces, so that an answer that is too large is found out before all of it is copied.
        repeat {
            let piece = rest.prefix(16 << 10)
            rest = rest.dropFirst(piece.count)
            try feed(piece: piece, into: &answers)
        } while !rest.isEmpty
        return answers
    }

    private mutating func feed(piece: ArraySlice<UInt8>, into answers: inout [RESP]) throws(Failure) {
        unread += piece.count
        let fed = unsafe piece.withUnsafeBytes { bytes in
            unsafe bytes.isEmpty
                ? REDIS_OK
                : redisReaderFeed(reader, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
        }
        guard fed == REDIS_OK else { throw fail(.malformed) }
        while true {
            var reply: UnsafeMutableRawPointer?
            guard unsafe redisReaderGetReply(reader, &reply) == REDIS_OK else {
                throw fail(builder.isTooLarge ? .tooLarge : .malformed)
            }
            guard unsafe reply != nil else { break }
            guard let answer = builder.finish() else { throw fail(.malformed) }
            answers.append(answer)
            unread = unsafe reader.pointee.len - reader.pointee.pos
        }
        if unread > limits.bytes { throw fail(.tooLarge) }
    }

    private mutating func fail(_ failure: Failure) -> Failure {
        self.failure = failure
        return failure
    }
}

/// What hiredis calls for each element. What it is given back only has to be no null pointer; nothing is kept there.
@safe private struct RESPFunctions: @unchecked Sendable {
    static let shared = RESPFunctions()
    /// Never freed: readers point to it.
    let pointer: UnsafeMutablePointer<redisReplyObjectFunctions>

    private init() {
        unsafe pointer = .allocate(capacity: 1)
        var functions = redisReplyObjectFunctions()
        unsafe functions.createString = { task, text, count in
            unsafe RESPFunctions.tell(task) { builder, type in
                let bytes = unsafe Array(UnsafeRawBufferPointer(start: text, count: count))
                switch type {
                case REDIS_REPLY_STRING: return builder.add(.string(bytes))
                case REDIS_REPLY_STATUS: return builder.add(.status(bytes))
                case REDIS_REPLY_ERROR: return builder.add(.error(bytes))
                default: return false
                }
            }
        }
        unsafe functions.createArray = { task, count in
            unsafe RESPFunctions.tell(task) { builder, type in
                type == REDIS_REPLY_ARRAY && builder.addArray(Int(count))
            }
        }
        unsafe functions.createInteger = { task, value in
            unsafe RESPFunctions.tell(task) { builder, _ in builder.add(.integer(Int64(value))) }
        }
        unsafe functions.createNil = { task in
            unsafe RESPFunctions.tell(task) { builder, _ in builder.add(.null) }
        }
        unsafe functions.freeObject = { _ in }
        unsafe pointer.initialize(to: functions)
    }

    /// - Returns: null when the element is refused, which ends the reader.
    private static func tell(
        _ task: UnsafePointer<redisReadTask>?, _ element: (RESPBuilder, Int32) -> Bool
    ) -> UnsafeMutableRawPointer? {
        guard let task = unsafe task, let builder = unsafe task.pointee.privdata else { return nil }
        let isTaken = unsafe element(
            Unmanaged<RESPBuilder>.fromOpaque(builder).takeUnretainedValue(), task.pointee.type)
        return unsafe isTaken ? builder : nil
    }
}
