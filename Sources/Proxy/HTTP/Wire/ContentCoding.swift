import NIOHTTP1

/// How an answer is packed: what upstreams write about it, in one form for the unpackers.
enum ContentCoding {
    /// Brings `content-encoding` into the form that is understood here. Some write it in capitals, by its old name, or for nothing.
    ///
    /// - Returns: whether the body is packed.
    /// - Throws: `TransportError` when nobody here can unpack it: it was not asked for.
    static func readPacking(of headers: inout HTTPHeaders) throws(TransportError) -> Bool {
        let codings = headers[canonicalForm: "content-encoding"].map { $0.lowercased() }.filter {
            !$0.isEmpty && $0 != "identity" && $0 != "none" && $0 != "utf-8"
        }
        headers.remove(name: "content-encoding")
        guard let coding = codings.first else { return false }
        guard codings.count == 1, ["gzip", "x-gzip", "deflate"].contains(coding) else {
            throw .malformedAnswer(
                "it has content-encoding '\(codings.joined(separator: ", ").quotable)', which was not requested")
        }
        headers.add(name: "content-encoding", value: coding == "deflate" ? "deflate" : "gzip")
        return true
    }
}
