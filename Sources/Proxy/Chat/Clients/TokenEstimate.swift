/// Guesses how many tokens a model reads, without its tokenizer: one for each four bytes of what it will see (docs/decisions/0027).
enum TokenEstimate {
    /// A string longer than this may be a file.
    private static let shortestFile = 4096
    /// So many bytes of it tell.
    private static let beginning = 256

    /// - Parameter members: those of the request that the model sees.
    static func tokens(of request: JSONValue, _ members: [StaticString]) -> Int {
        var bytes = 2
        var files = 0
        for name in members {
            guard let value = request.present(name) else { continue }
            bytes += name.utf8CodeUnitCount + 4
            count(value, &bytes, &files)
        }
        return (bytes + 3) / 4 + files * PromptSize.image
    }

    /// A data URI, or base64.
    private static func isFile(_ text: ArraySlice<UInt8>) -> Bool {
        text.starts(with: "data:".utf8)
            || text.prefix(beginning).allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20) || "+/-_=".utf8.contains($0)
            }
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
            if raw.count > shortestFile, isFile(raw.dropFirst()) {
                files += 1
            } else {
                bytes += raw.count
            }
        }
    }
}
