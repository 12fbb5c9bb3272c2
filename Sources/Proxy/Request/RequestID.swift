/// The name under which a request can be found again, in the answer, in the log and at the client.
enum RequestID {
    /// The client's own `x-request-id` when it is at most 128 visible ASCII characters, else a new one. Dots alone are none: `/why/..` is another path.
    static func of(_ given: String?) -> String {
        if let given, (1...128).contains(given.utf8.count),
            given.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), given != ".", given != ".."
        {
            return given
        }
        return RandomName().hex(behind: "req_")
    }

    /// A new name in hex.
    static func randomHex() -> String { RandomName().hex }
}
