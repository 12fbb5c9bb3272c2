@_spi(CustomByteBufferAllocator) import NIOCore
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Buffers for the bodies of large requests to upstreams, whose memory is used again when nobody holds them any more.
enum BodyBuffers {
    /// Smaller ones the allocator has at hand (`AllocatorPolicy`).
    private static let smallest = 256 << 10
    /// In front of each block, for its size; keeps what follows as aligned as malloc does.
    private static let header = 16
    private static let shelf = Mutex(BlockShelf<UInt>(limit: 16 << 20))

    /// A buffer with a text in it.
    static func buffer(_ text: SplicedText) -> ByteBuffer {
        let allocator = text.count >= smallest ? allocator : ByteBufferAllocator()
        var buffer = allocator.buffer(capacity: text.count)
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: text.count) { text.copy(to: $0) }
        return buffer
    }

    private static let allocator = ByteBufferAllocator(
        allocate: { BodyBuffers.allocate($0) },
        reallocate: { old, oldSize, size in
            let new = BodyBuffers.allocate(size)
            if let old, let new {
                memcpy(new, old, min(oldSize, size))
                BodyBuffers.free(old)
            }
            return new
        },
        deallocate: { BodyBuffers.free($0) },
        copy: { memcpy($0, $1, $2) })

    private static func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
        if let kept = shelf.withLock({ $0.take(size) }) { return UnsafeMutableRawPointer(bitPattern: kept) }
        guard let block = malloc(size + header) else { return nil }
        block.storeBytes(of: size, as: Int.self)
        return block + header
    }

    private static func free(_ pointer: UnsafeMutableRawPointer) {
        let size = (pointer - header).load(as: Int.self)
        for old in shelf.withLock({ $0.put(UInt(bitPattern: pointer), capacity: size) }) {
            guard let old = UnsafeMutableRawPointer(bitPattern: old) else { continue }
            #if canImport(Glibc)
                Glibc.free(old - header)
            #elseif canImport(Musl)
                Musl.free(old - header)
            #else
                Darwin.free(old - header)
            #endif
        }
    }
}
