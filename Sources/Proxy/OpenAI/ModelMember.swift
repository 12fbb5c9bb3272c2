/// The top-level member `model` of a JSON object: the only thing that changes in what passes through.
///
/// Found without decoding the document, and replaced so that every other byte stays. When a document has the member several
/// times, each of its values is replaced: readers differ in which one counts, and none may see another name than the rest.
/// A text that is no JSON object, or has no such member, stays as it is.
enum ModelMember {
    /// - Parameter document: may begin with a byte order mark.
    /// - Returns: the document with `name` as the value of each top-level `model`, whatever kind of value stood there.
    static func replace(in document: ArraySlice<UInt8>, with name: String) -> [UInt8] {
        replace(ranges(in: document), in: document, with: name)
    }

    /// The same for a document that has been parsed already.
    static func replace(in document: [UInt8], parsed root: JSONValue, with name: String) -> [UInt8] {
        replace(ranges(in: root), in: document[...], with: name)
    }

    private static func replace(_ ranges: [Range<Int>], in document: ArraySlice<UInt8>, with name: String) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(document.count + name.utf8.count + 2)
        append(document, replacing: ranges, to: &result) { JSONString.append(quoted: name, to: &$0) }
        return result
    }

    /// Where they stand in a document that has been parsed.
    static func ranges(in root: JSONValue) -> [Range<Int>] {
        root.places(of: "model")
    }

    /// A model's name as it stands in a document.
    static func quoted(_ name: String) -> [UInt8] {
        var quoted: [UInt8] = []
        quoted.reserveCapacity(name.utf8.count + 2)
        JSONString.append(quoted: name, to: &quoted)
        return quoted
    }

    /// Where the values of the top-level members `model` stand, in indices of `document`; none when it is no JSON object.
    static func ranges(in document: ArraySlice<UInt8>) -> [Range<Int>] {
        let offset = document.startIndex
        let ranges = JSONFastPath.look(atAnyOf: document.span) { root -> [Range<Int>]? in
            guard root.kind == .object else { return nil }
            var ranges: [Range<Int>] = []
            _ = root.each { name, value in
                if name.means("model") {
                    ranges.append(value.place.lowerBound + offset..<value.place.upperBound + offset)
                }
                return true
            }
            return ranges
        }
        return ranges ?? []
    }

    /// Copies a document with other bytes at some ranges.
    ///
    /// - Parameter ranges: in their order, in indices of `document`.
    static func append(
        _ document: ArraySlice<UInt8>, replacing ranges: [Range<Int>], with value: [UInt8], to result: inout [UInt8]
    ) {
        append(document, replacing: ranges, to: &result) { $0.append(contentsOf: value) }
    }

    /// The same with bytes that are written where they go, without an array of their own.
    ///
    /// - Parameters:
    ///   - ranges: in their order, in indices of `document`.
    ///   - appendValue: appends the other bytes, for each range.
    private static func append(
        _ document: ArraySlice<UInt8>, replacing ranges: [Range<Int>], to result: inout [UInt8],
        _ appendValue: (inout [UInt8]) -> Void
    ) {
        var rest = document.startIndex
        for range in ranges {
            result.append(contentsOf: document[rest..<range.lowerBound])
            appendValue(&result)
            rest = range.upperBound
        }
        result.append(contentsOf: document[rest...])
    }
}
