import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Reads the kernel's table of TCP sockets (`/proc/net/tcp`, `tcp6`) to tell which user owns the other end of a
/// connection from this machine.
enum SocketOwner {
    /// The user id in the row whose local address is the peer's and whose remote port is ours.
    ///
    /// - Parameter table: the text of `/proc/net/tcp` or `/proc/net/tcp6`; its address columns are
    ///   `HEX-ADDRESS:HEX-PORT`, the address in the machine's byte order, the port in plain hex.
    static func find(in table: String, peerPort: Int, ownPort: Int) -> UInt32? {
        for line in table.split(separator: "\n").dropFirst() {
            let columns = line.split(separator: " ", omittingEmptySubsequences: true)
            guard columns.count > 7,
                port(columns[1]) == peerPort, port(columns[2]) == ownPort, isLoopback(columns[1])
            else { continue }
            return UInt32(columns[7])
        }
        return nil
    }

    /// The user who owns the peer's socket, as the kernel's tables say now; nil when they do not say.
    ///
    /// Reads files of the proc file system: some milliseconds on a machine with thousands of connections. The kernel gives
    /// such a table out in pieces, and a row may be missing when connections come and go meanwhile, so a second and a third
    /// look are taken.
    static func ofPeer(_ peer: ClientRequest.Peer) -> UInt32? {
        guard let remote = peer.remote?.port, let own = peer.local?.port else { return nil }
        for file in ["/proc/net/tcp", "/proc/net/tcp6", "/proc/net/tcp", "/proc/net/tcp6", "/proc/net/tcp", "/proc/net/tcp6"] {
            if let owner = find(in: read(file), peerPort: remote, ownPort: own) { return owner }
        }
        return nil
    }

    /// A file of the proc file system, to its end: such a file has no size, and each read gives a page at most.
    private static func read(_ path: String) -> String {
        guard let file = fopen(path, "r") else { return "" }
        defer { fclose(file) }
        var text: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&piece, 1, piece.count, file)
            guard count > 0 else { break }
            text += piece[..<count]
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func port(_ column: Substring) -> Int? {
        column.lastIndex(of: ":").flatMap { Int(column[column.index(after: $0)...], radix: 16) }
    }

    private static func isLoopback(_ column: Substring) -> Bool {
        let address = column.prefix { $0 != ":" }
        // Little-endian words: 127.0.0.1 is 0100007F; ::1 ends in 01000000; ::ffff:127.0.0.1 in FFFF0000 0100007F.
        switch address.count {
        case 8: return address.hasSuffix("7F")
        case 32: return address == "00000000000000000000000001000000" || (address.hasPrefix("0000000000000000FFFF0000") && address.hasSuffix("7F"))
        default: return false
        }
    }
}
