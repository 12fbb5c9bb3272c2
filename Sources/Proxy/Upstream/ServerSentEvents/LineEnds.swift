/// How the lines of one event stream end: with LF or CRLF, or, as the standard allows as well, with CR alone. Nearly all servers write LF, so the first
/// line end of a stream decides, and CR costs only those that write it.
struct LineEnds {
    private enum Form { case unknown, newline, carriageReturn }

    private var form = Form.unknown
    /// The last byte was a CR: an LF behind it belongs to it.
    private var endsInReturn = false

    private static let newline = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    /// Nothing has ended yet.
    var areUnknown: Bool { form == .unknown }

    /// Looks how the first line ends. Where that is a CR alone, CR is written as LF from there on.
    ///
    /// - Parameters:
    ///   - start: of the bytes that have not been looked at.
    ///   - newline: the first LF behind it, if there is one.
    /// - Returns: where the first line ends, when bytes have been changed.
    mutating func settle(in bytes: inout [UInt8], from start: Int, newline: Int?) -> Int? {
        let found = ByteSearch.firstIndex(of: Self.carriageReturn, in: bytes, from: max(start - 1, 0))
        guard let found, found < newline ?? bytes.count, found + 1 != newline else {
            if newline != nil { form = .newline }
            return nil
        }
        // An LF may follow.
        guard found + 1 < bytes.count else { return nil }
        form = .carriageReturn
        let tail = Array(bytes[found...])
        bytes.removeSubrange(found...)
        append(tail, to: &bytes)
        return found
    }

    mutating func append(_ piece: some Sequence<UInt8>, to bytes: inout [UInt8]) {
        guard form == .carriageReturn else { return bytes.append(contentsOf: piece) }
        for byte in piece {
            if byte != Self.newline || !endsInReturn { bytes.append(byte == Self.carriageReturn ? Self.newline : byte) }
            endsInReturn = byte == Self.carriageReturn
        }
    }
}
