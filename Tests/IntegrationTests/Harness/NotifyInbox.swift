import Foundation
import Synchronization
import Testing

/// A service manager's end of `NOTIFY_SOCKET`.
final class NotifyInbox: Sendable {
    /// For the variable.
    let name: String
    private let descriptor: Int32
    private let received = Mutex<[String]>([])

    /// - Parameter name: a path, or an abstract name with `@` in front.
    init(_ name: String) throws {
        self.name = name
        descriptor = socket(
            AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(name.utf8)
        if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(2 + bytes.count + (bytes[0] == 0 ? 0 : 1))
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        try #require(status == 0, "\(name) cannot be bound: \(String(cString: strerror(errno)))")
    }

    deinit { close(descriptor) }

    /// All messages so far, in their order.
    var messages: [String] {
        received.withLock { messages in
            var bytes = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = recv(descriptor, &bytes, bytes.count, 0)
                guard count > 0 else { return messages }
                messages.append(String(decoding: bytes[..<count], as: UTF8.self))
            }
        }
    }

    /// The messages about the state: those that come at their own pace left out.
    var states: [String] { messages.filter { !$0.hasPrefix("STATUS=") && $0 != "WATCHDOG=1" } }
}
