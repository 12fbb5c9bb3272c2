import COpenSSL

/// A text in memory, as OpenSSL reads one.
enum MemoryBIO {
    /// Lends `bytes` to OpenSSL, which does not copy them.
    ///
    /// - Returns: what `body` gives; nil also when they are too many, or there is no memory.
    static func read<Value>(_ bytes: [UInt8], _ body: (OpaquePointer) -> Value?) -> Value? {
        guard let size = Int32(exactly: bytes.count) else { return nil }
        return unsafe bytes.withUnsafeBytes { bytes in
            // It reads `size` bytes at most, and ends before they do.
            guard let source = unsafe BIO_new_mem_buf(bytes.baseAddress, size) else { return nil }
            defer { unsafe BIO_free(source) }
            return unsafe body(source)
        }
    }
}
