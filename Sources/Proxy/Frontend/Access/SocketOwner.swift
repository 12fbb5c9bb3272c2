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
    /// The user id in the row of the connection's other end.
    ///
    /// Both addresses count, not only the ports: on loopback two users can hold the same pair of ports at 127.0.0.1 and
    /// 127.0.0.2. And only an established connection has an owner: the kernel writes 0, which is root, for one that its
    /// user has closed.
    ///
    /// - Parameter table: the text of `/proc/net/tcp` or `/proc/net/tcp6`.
    static func find(in table: String, peer: SocketAddress, own: SocketAddress) -> UInt32? {
        let peer = withoutMapping(peer)
        let own = withoutMapping(own)
        for line in table.split(separator: "\n").dropFirst() {
            let columns = line.split(separator: " ", omittingEmptySubsequences: true)
            guard columns.count > 7, columns[3] == "01", port(columns[1]) == peer.port, port(columns[2]) == own.port,
                address(columns[1]) == peer, address(columns[2]) == own
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
        guard let remote = peer.remote, let own = peer.local else { return nil }
        for file in ["/proc/net/tcp", "/proc/net/tcp6", "/proc/net/tcp", "/proc/net/tcp6", "/proc/net/tcp", "/proc/net/tcp6"] {
            if let owner = find(in: read(file), peer: remote, own: own) { return owner }
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

    /// An IPv4 address as an IPv6 socket sees it (`::ffff:127.0.0.1`) is the IPv4 address.
    private static func withoutMapping(_ address: SocketAddress) -> SocketAddress {
        guard let ip = address.ipAddress, ip.hasPrefix("::ffff:"), let port = address.port,
            let plain = try? SocketAddress(ipAddress: String(ip.dropFirst(7)), port: port)
        else { return address }
        return plain
    }

    private static func port(_ column: Substring) -> Int? {
        column.lastIndex(of: ":").flatMap { Int(column[column.index(after: $0)...], radix: 16) }
    }

    /// A column `HEX-ADDRESS:HEX-PORT`: the address in words of 32 bits as the machine reads them, the port in plain hex.
    private static func address(_ column: Substring) -> SocketAddress? {
        guard let port = port(column) else { return nil }
        var bytes = ByteBuffer()
        var rest = column.prefix { $0 != ":" }
        while !rest.isEmpty {
            guard let word = UInt32(rest.prefix(8), radix: 16) else { return nil }
            _ = withUnsafeBytes(of: word) { bytes.writeBytes($0) }
            rest = rest.dropFirst(8)
        }
        return (try? SocketAddress(packedIPAddress: bytes, port: port)).map(withoutMapping)
    }
}
