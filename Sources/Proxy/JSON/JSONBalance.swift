/// Whether a JSON text that comes in pieces is there whole: its outermost object or array has been closed.
///
/// Each byte is looked at once, however often one asks. Whether what is whole is also right, the client's parser says.
struct JSONBalance {
    private var depth = 0
    private var isInString = false
    private var isEscaped = false
    private(set) var isWhole = false

    mutating func take(_ text: some Sequence<UInt8>) {
        for byte in text { take(byte) }
    }

    private mutating func take(_ byte: UInt8) {
        if isInString {
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isInString = false
            }
            return
        }
        switch byte {
        case UInt8(ascii: "\""): isInString = true
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            depth -= 1
            isWhole = depth <= 0
        default: break
        }
    }
}
