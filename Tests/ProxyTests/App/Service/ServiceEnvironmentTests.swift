import Testing

@testable import Proxy

/// What systemd says in the environment (sd_notify(3), sd_listen_fds(3), sd_watchdog_enabled(3), systemd.exec(5)).
@Suite struct ServiceEnvironmentTests {
    @Test func `Without a service manager there is nothing`() throws {
        let environment = try ServiceEnvironment(["HOME": "/root", "NOTIFY_SOCKET": ""], process: 42)
        #expect(
            environment.notifySocket == nil && environment.watchdog == nil && environment.sockets.isEmpty
                && environment.journal == nil)
    }

    @Test func `Sockets are counted from descriptor three and named`() throws {
        let environment = try ServiceEnvironment(
            ["LISTEN_PID": "42", "LISTEN_FDS": "3", "LISTEN_FDNAMES": "http::local"], process: 42)
        #expect(
            environment.sockets == [
                InheritedSocket(descriptor: 3, name: "http"), InheritedSocket(descriptor: 4, name: "unknown"),
                InheritedSocket(descriptor: 5, name: "local"),
            ])
    }

    @Test(arguments: [
        ["LISTEN_FDS": "1"], ["LISTEN_PID": "41", "LISTEN_FDS": "1"], ["LISTEN_PID": "42"],
        ["LISTEN_PID": "", "LISTEN_FDS": "1"],
        ["LISTEN_PID": "42", "LISTEN_FDS": "0"],
    ])
    func `Sockets for another process are left alone`(variables: [String: String]) throws {
        #expect(try ServiceEnvironment(variables, process: 42).sockets.isEmpty)
    }

    @Test(arguments: ["-1", "many", "99999999999999999999", ""])
    func `A number of sockets that is none ends the start`(number: String) {
        let error = #expect(throws: ExitError.self) {
            try ServiceEnvironment(["LISTEN_PID": "42", "LISTEN_FDS": number], process: 42)
        }
        #expect(error?.code == .cannotBind && error?.description.contains("LISTEN_FDS=\(number)") == true)
    }

    @Test(
        arguments: [
            (["WATCHDOG_USEC": "30000000"], Duration.seconds(30)),
            (["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "42"], .seconds(30)),
            (["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "41"], nil), (["WATCHDOG_USEC": "0"], nil),
            (["WATCHDOG_USEC": "soon"], nil), ([:], nil),
        ] as [([String: String], Duration?)])
    func `The watchdog is for this process or for none`(variables: [String: String], limit: Duration?) throws {
        #expect(try ServiceEnvironment(variables, process: 42).watchdog == limit)
    }

    @Test(
        arguments: [
            ("9:12345", JournalStream(device: 9, inode: 12345)), ("9", nil), ("9:", nil), (":1", nil), ("9:1:2", nil),
            ("a:b", nil), ("-1:2", nil),
        ] as [(String, JournalStream?)])
    func `The journals stream is device and inode`(text: String, stream: JournalStream?) throws {
        #expect(try ServiceEnvironment(["JOURNAL_STREAM": text], process: 42).journal == stream)
    }
}
