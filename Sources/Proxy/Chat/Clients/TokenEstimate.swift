/// Guesses how many tokens a model reads, without its tokenizer: one for each four bytes of what it will see (docs/decisions/0027).
enum TokenEstimate {
    /// An image costs about that, however many bytes it has.
    private static let image = 1500
    /// A string longer than this without a space is no text but a file.
    private static let longestWord = 4096

    /// - Parameter members: those of the request that the model sees.
    static func tokens(of request: JSONValue, _ members: [StaticString]) -> Int {
        var bytes = 2
        var files = 0
        for name in members {
            guard let value = request.present(name) else { continue }
            bytes += name.utf8CodeUnitCount + 4
            count(value, &bytes, &files)
        }
        return (bytes + 3) / 4 + files * image
    }

    private static func count(_ value: JSONValue, _ bytes: inout Int, _ files: inout Int) {
        switch value.kind {
        case .object:
            bytes += 1
            for (key, member) in value.members {
                bytes += key.raw.count + 2
                count(member, &bytes, &files)
            }
        case .array:
            bytes += 1
            for element in value.elements {
                bytes += 1
                count(element, &bytes, &files)
            }
        default:
            let raw = value.raw
            if raw.count > longestWord, !raw.prefix(longestWord).contains(UInt8(ascii: " ")) {
                files += 1
            } else {
                bytes += raw.count
            }
        }
    }
}
