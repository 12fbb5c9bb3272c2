import Foundation
import Testing

@testable import Proxy

/// The sockets of the service manager: the one to talk to it, and those that it hands over.
@Suite struct ServiceSocketsTests {
    @Test(arguments: ["", "/", "@", "relative/path", "vsock:2:1234", "/" + String(repeating: "x", count: 107)])
    func `What is no Unix socket is not sent to`(name: String) {
        #expect(NotifySocket(name) == nil)
    }

    @Test func `An abstract name begins with a zero byte`() {
        #expect(NotifySocket.Address("@ab")?.bytes == [0, 0x61, 0x62])
        #expect(NotifySocket.Address("/ab")?.bytes == Array("/ab".utf8))
    }

    @Test func `A message to a socket that is gone is lost`() throws {
        let socket = try #require(NotifySocket("@ociai-nobody-\(UUID().uuidString)"))
        socket.send("READY=1")
    }

    @Test(
        arguments: [
            (InheritedSocket.Facts(isStream: true, isListening: true, isOfKnownFamily: true), nil),
            (.init(isStream: false, isListening: false, isOfKnownFamily: true), "not a stream socket"),
            (.init(isStream: true, isListening: false, isOfKnownFamily: true), "is not listening"),
            (.init(isStream: true, isListening: true, isOfKnownFamily: false), "is not IPv4, IPv6 or a Unix path"),
        ] as [(InheritedSocket.Facts, String?)])
    func `Only a listening stream socket will do`(facts: InheritedSocket.Facts, objection: String?) {
        if let objection {
            #expect(facts.objection?.contains(objection) == true)
        } else {
            #expect(facts.objection == nil)
        }
    }

    /// A descriptor of each kind, as the kernel makes them.
    enum Kind: String, CaseIterable, Sendable {
        case closed, file, datagram, unconnected, unix, internet

        /// - Parameter type: SOCK_STREAM or SOCK_DGRAM.
        private func socket(_ family: Int32, _ type: Int32) -> Int32 { Foundation.socket(family, type, 0) }

        func open() -> Int32 {
            let stream = Int32(SOCK_STREAM.rawValue)
            switch self {
            case .closed: return 1_000_000
            case .file: return Foundation.open("/dev/null", O_RDONLY)
            case .datagram: return socket(AF_INET, Int32(SOCK_DGRAM.rawValue))
            case .unconnected: return socket(AF_INET, stream)
            case .unix, .internet:
                // Without an address the kernel chooses one: an abstract name, a free port.
                let descriptor = socket(self == .unix ? AF_UNIX : AF_INET, stream)
                if self == .unix {
                    var family = sa_family_t(AF_UNIX)
                    withUnsafePointer(to: &family) { pointer in
                        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = bind(descriptor, $0, 2) }
                    }
                }
                listen(descriptor, 1)
                return descriptor
            }
        }

        var objection: String? {
            switch self {
            case .closed, .file: "not an open socket"
            case .datagram: "not a stream socket"
            case .unconnected: "is not listening"
            case .unix, .internet: nil
            }
        }
    }

    @Test(arguments: Kind.allCases) func `A descriptor is looked at before it is listened on`(kind: Kind) throws {
        let socket = InheritedSocket(descriptor: kind.open(), name: "http")
        defer { if kind != .closed { close(socket.descriptor) } }
        guard let objection = kind.objection else {
            try socket.prepare()
            #expect(fcntl(socket.descriptor, F_GETFD) & FD_CLOEXEC != 0)
            return
        }
        let error = #expect(throws: ExitError.self) { try socket.prepare() }
        #expect(
            error?.code == .cannotBind && error?.description.contains(objection) == true, "\(String(describing: error))"
        )
        #expect(error?.description.contains("descriptor \(socket.descriptor) (http)") == true)
    }

    @Test func `The journal is recognized by its device and inode`() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        var status = stat()
        try #require(fstat(ends[1], &status) == 0)
        let stream = JournalStream(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
        #expect(stream.isBehind(ends[1]))
        #expect(!JournalStream(device: stream.device, inode: stream.inode + 1).isBehind(ends[1]))
        #expect(!stream.isBehind(1_000_000))
    }
}
