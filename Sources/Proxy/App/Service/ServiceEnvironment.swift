/// What a service manager such as systemd says to a process in its environment. Without one there is nothing of it.
package struct ServiceEnvironment: Equatable, Sendable {
    /// All variables that are read here.
    package static let variables = [
        "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES",
        "JOURNAL_STREAM", "STATE_DIRECTORY",
    ]
    /// The first descriptor that is handed over (sd_listen_fds(3)).
    static let firstDescriptor: Int32 = 3

    /// Where the service may keep what outlives it.
    var stateDirectory: String?
    /// Where the state of the process is to be told.
    var notifySocket: String?
    /// The silence after which the service manager takes the process for dead.
    var watchdog: Duration?
    /// Sockets to listen on in place of the configured address.
    var sockets: [InheritedSocket] = []
    /// The journal's end of standard output or standard error.
    var journal: JournalStream?

    /// Of a process that is nobody's service, or whose owner speaks to the manager.
    static let none = ServiceEnvironment()

    private init() {}

    /// - Parameter process: the id of this process. What is meant for another one (the variables are inherited) is left alone.
    /// - Throws: `ExitError` when sockets are announced in a way that cannot be understood.
    init(_ environment: [String: String], process: Int32) throws(ExitError) {
        stateDirectory = environment["STATE_DIRECTORY"]
        notifySocket = environment["NOTIFY_SOCKET"].flatMap { $0.isEmpty ? nil : $0 }
        journal = environment["JOURNAL_STREAM"].flatMap(JournalStream.init)
        if environment["WATCHDOG_PID"].map({ $0 == String(process) }) ?? true {
            watchdog = environment["WATCHDOG_USEC"].flatMap { Int64($0) }.flatMap { $0 > 0 ? .microseconds($0) : nil }
        }
        guard environment["LISTEN_PID"] == String(process), let announced = environment["LISTEN_FDS"] else { return }
        guard let count = Int32(announced), (0...1000).contains(count) else {
            throw ExitError(
                .cannotBind,
                "invalid LISTEN_FDS=\(announced): must be a number of sockets from 0 to 1000; start the proxy from a systemd socket unit, or unset LISTEN_FDS"
            )
        }
        let names =
            environment["LISTEN_FDNAMES"]?.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            ?? []
        sockets = (0..<count).map { index in
            let name = names.indices.contains(Int(index)) ? names[Int(index)] : ""
            return InheritedSocket(descriptor: Self.firstDescriptor + index, name: name.isEmpty ? "unknown" : name)
        }
    }
}

/// `JOURNAL_STREAM`: device and inode of the stream that leads to the journal (systemd.exec(5)). Only the descriptor that is this very
/// stream leads there; the variable alone says nothing, as it is inherited by programs whose output goes elsewhere.
struct JournalStream: Equatable, Sendable {
    var device: UInt64
    var inode: UInt64

    init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }

    /// Reads `DEVICE:INODE`, both in decimal; nil for anything else.
    init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let device = UInt64(parts[0]), let inode = UInt64(parts[1]) else { return nil }
        self.init(device: device, inode: inode)
    }
}
