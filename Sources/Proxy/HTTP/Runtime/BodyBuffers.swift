@_spi(CustomByteBufferAllocator) import NIOCore
import Synchronization

/// Buffers for the bodies of large requests to upstreams, whose memory is used again when nobody holds them any more.
///
/// A buffer's memory is its own, however many hold it, so NIO itself is asked to tell when it frees it.
enum BodyBuffers {
    /// Addresses of blocks, as `Block` makes them.
    private static let shelf = Mutex(BlockPool<UInt>(limit: BodyMemoryPool.limit))

    /// A buffer with a text in it.
    static func buffer(_ text: SplicedText) -> ByteBuffer {
        let count = text.count
        guard count >= BodyMemoryPool.smallest else {
            var buffer = ByteBufferAllocator().buffer(capacity: count)
            unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { unsafe text.copy(to: $0) }
            return buffer
        }
        let block = unsafe allocate(count)
        let memory = unsafe UnsafeMutableRawBufferPointer(start: block, count: Block.capacity(of: block))
        unsafe text.copy(to: memory)
        return unsafe ByteBuffer(takingOwnershipOf: memory, allocator: allocator, writerIndex: count)
    }

    /// - Returns: bytes that are still kept.
    static func expire(before instant: Duration) -> Int {
        let (old, kept) = shelf.withLock { ($0.expire(before: instant), $0.kept) }
        for block in old { Block.free(block) }
        return kept
    }

    private static let allocator = unsafe ByteBufferAllocator(
        allocate: { unsafe BodyBuffers.allocate($0) },
        reallocate: { old, oldSize, size in
            let new = unsafe BodyBuffers.allocate(size)
            if let old = unsafe old {
                unsafe new.copyMemory(from: old, byteCount: min(oldSize, size))
                unsafe BodyBuffers.takeBack(old)
            }
            return unsafe new
        },
        deallocate: { unsafe BodyBuffers.takeBack($0) },
        copy: { unsafe $0.copyMemory(from: $1, byteCount: $2) })

    private static func allocate(_ size: Int) -> UnsafeMutableRawPointer {
        if let kept = shelf.withLock({ $0.take(size) }), let block = unsafe UnsafeMutableRawPointer(bitPattern: kept) {
            return unsafe block
        }
        return unsafe Block.make(size)
    }

    private static func takeBack(_ block: UnsafeMutableRawPointer) {
        let (address, capacity, now) = unsafe (UInt(bitPattern: block), Block.capacity(of: block), BodyMemoryPool.now)
        for old in shelf.withLock({ $0.put(address, capacity: capacity, at: now) }) { Block.free(old) }
        BodyMemoryPool.watch()
    }

    /// Memory with its size in front of it.
    private enum Block {
        /// What follows it is aligned as malloc's memory is.
        private static let header = 16

        static func make(_ size: Int) -> UnsafeMutableRawPointer {
            let memory = UnsafeMutableRawPointer.allocate(byteCount: size + header, alignment: header)
            unsafe memory.storeBytes(of: size, as: Int.self)
            return unsafe memory + header
        }

        static func capacity(of block: UnsafeMutableRawPointer) -> Int { unsafe (block - header).load(as: Int.self) }

        static func free(_ address: UInt) {
            guard let block = unsafe UnsafeMutableRawPointer(bitPattern: address) else { return }
            unsafe (block - header).deallocate()
        }
    }
}
