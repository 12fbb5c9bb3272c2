import Dispatch
import NIOCore
import ProxyRouting
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The kernel's tables of TCP sockets (`/proc/net/tcp`, `tcp6`), for systems where it cannot be asked for a single one.
///
/// To read one takes milliseconds of the kernel's time for each thousand connections. So one is read at a time in the whole process, on a
/// thread of its own that rests four times as long afterwards, and few wait for their turn.
final class SocketTable: Sendable {
    static let shared = SocketTable { peer, own in SocketTable.look(for: peer, own) }

    /// Who may wait; others are told that it cannot be told.
    static let longestLine = 4

    private let queue = DispatchQueue(label: "socket owners")
    private let asking = Mutex(0)
    private let read: @Sendable (_ peer: SocketAddress, _ own: SocketAddress) -> UInt32?

    init(read: @escaping @Sendable (_ peer: SocketAddress, _ own: SocketAddress) -> UInt32?) {
        self.read = read
    }

    /// The owner of the peer's socket; nil when it is not there, or too many ask at once.
    func owner(of peer: SocketAddress, connectedTo own: SocketAddress) async -> UInt32? {
        let mayAsk = asking.withLock { asking in
            guard asking <= Self.longestLine else { return false }
            asking += 1
            return true
        }
        guard mayAsk else { return nil }
        return await withCheckedContinuation { answer in
            queue.async {
                let began = TimeSource.system.now()
                let owner = self.read(peer, own)
                let took = TimeSource.system.now() - began
                self.asking.withLock { $0 -= 1 }
                answer.resume(returning: owner)
                let rest = min(took * 4, .seconds(1))
                usleep(useconds_t(rest.floatingMilliseconds * 1000))
            }
        }
    }

    /// Reads one table, or two: an IPv4 connection may be that of a socket for both.
    private static func look(for peer: SocketAddress, _ own: SocketAddress) -> UInt32? {
        let isIPv4 = peer.packed?.count == 4
        for file in isIPv4 ? ["/proc/net/tcp", "/proc/net/tcp6"] : ["/proc/net/tcp6"] {
            if let owner = owner(of: peer, connectedTo: own, in: contents(of: file)) { return owner }
        }
        return nil
    }

    /// The owner of the socket that listens at an address, be it on all addresses; nil when none is there. It reads the tables at once.
    static func ownerOfListener(at address: SocketAddress) -> UInt32? {
        let isIPv4 = address.packed?.count == 4
        for file in isIPv4 ? ["/proc/net/tcp", "/proc/net/tcp6"] : ["/proc/net/tcp6"] {
            if let owner = ownerOfListener(at: address, in: contents(of: file)) { return owner }
        }
        return nil
    }

    /// - Parameter table: as of `owner`.
    static func ownerOfListener(at address: SocketAddress, in table: [UInt8]) -> UInt32? {
        guard let port = address.port, let size = address.packed?.count else { return nil }
        let all = ["0.0.0.0", "::"].compactMap { try? SocketAddress(ipAddress: $0, port: port) }
        // A socket for both families listens at `::` for IPv4 too.
        let places =
            [column(address, false), column(address, true)] + all.map { column($0, false) }
            + (size == 4 ? all.prefix(1).map { column($0, true) } : [])
        for place in places.compactMap(\.self) {
            let digits = place.prefix { $0 != ":" }.count
            let nobody = String(repeating: "0", count: digits) + ":0000"
            if let owner = owner(behind: Array(": \(place) \(nobody) 0A ".utf8), in: table) { return owner }
        }
        return nil
    }

    /// A file of the proc file system, to its end: such a file has no size, and each read gives a page at most.
    private static func contents(of path: String) -> [UInt8] {
        let file = SystemCall.openFile(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var text: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while text.count < largest {
            let count = SystemCall.readBytes(file, &piece)
            guard count > 0 else { break }
            text += piece[..<count]
        }
        return text
    }

    /// Bytes of a table that are looked at: some 400,000 connections.
    private static let largest = 64 << 20

    /// The user id in the row of the connection's other end.
    ///
    /// Both addresses count, not only the ports: on loopback two users can hold the same pair of ports at 127.0.0.1 and 127.0.0.2. And only
    /// an established connection (`01`) has an owner: the kernel writes 0, which is root, for one that its user has closed.
    ///
    /// - Parameter table: the bytes of `/proc/net/tcp` or `/proc/net/tcp6`.
    static func owner(of peer: SocketAddress, connectedTo own: SocketAddress, in table: [UInt8]) -> UInt32? {
        for isMapped in [false, true] {
            guard let from = column(peer, isMapped), let to = column(own, isMapped) else { continue }
            if let owner = owner(behind: Array(": \(from) \(to) 01 ".utf8), in: table) { return owner }
        }
        return nil
    }

    /// - Parameter row: what stands behind the number of the row. Then come two columns of queues and timers, a count, and the user.
    private static func owner(behind row: [UInt8], in table: [UInt8]) -> UInt32? {
        var start = 0
        while start < table.count {
            let end = ByteSearch.firstIndex(of: UInt8(ascii: "\n"), in: table, from: start) ?? table.count
            defer { start = end + 1 }
            guard let colon = table[start..<end].firstIndex(of: UInt8(ascii: ":")), table[colon..<end].starts(with: row)
            else { continue }
            let columns = table[(colon + row.count)..<end].split(
                separator: UInt8(ascii: " "), maxSplits: 4, omittingEmptySubsequences: true)
            return columns.count > 3 ? UInt32(String(decoding: columns[3], as: UTF8.self)) : nil
        }
        return nil
    }

    /// `HEX-ADDRESS:HEX-PORT`: the address in words of 32 bits as the machine reads them, the port in plain hex.
    private static func column(_ address: SocketAddress, _ isMapped: Bool) -> String? {
        guard var bytes = address.packed, let port = address.port else { return nil }
        if isMapped {
            guard bytes.count == 4 else { return nil }
            bytes = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF] + bytes
        }
        var text = ""
        for start in stride(from: 0, to: bytes.count, by: 4) {
            let word = (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) }
            text += hex(UInt32(littleEndian: word), digits: 8)
        }
        return "\(text):\(hex(UInt32(port), digits: 4))"
    }

    private static func hex(_ number: UInt32, digits: Int) -> String {
        let text = String(number, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }
}
