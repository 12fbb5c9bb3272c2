/// A text that is made of a written one and of long parts of another, which are left where they are until the whole is copied to where it
/// is sent from: most of a large request goes from one document into another as it came.
struct SplicedText: Sendable {
    /// Shorter parts are copied: keeping a place and a reference costs as much.
    static let shortestSplice = 256

    private struct Splice: Sendable {
        /// Bytes of what is written before it.
        var place: Int
        let bytes: ArraySlice<UInt8>
    }

    private var written: [UInt8]
    private var splices: [Splice] = []
    /// Bytes of all splices.
    private var spliced = 0

    init(_ bytes: [UInt8] = []) {
        written = bytes
    }

    /// - Parameter capacity: of what is written, in bytes.
    init(capacity: Int) {
        written = []
        written.reserveCapacity(capacity)
    }

    /// Bytes in all.
    var count: Int { written.count + spliced }

    mutating func append(_ byte: UInt8) { written.append(byte) }

    mutating func append(contentsOf bytes: some Collection<UInt8>) { written.append(contentsOf: bytes) }

    mutating func append(literal text: StaticString) { written.append(literal: text) }

    /// A string of JSON.
    mutating func append(quoted text: String) { JSONString.append(quoted: text, to: &written) }

    /// Three parts at once.
    mutating func append(_ opening: StaticString, _ content: StaticString, _ closing: StaticString) {
        written.append(
            addingCapacity: opening.utf8CodeUnitCount + content.utf8CodeUnitCount + closing.utf8CodeUnitCount
        ) { span in
            for byte in opening.utf8 { span.append(byte) }
            for byte in content.utf8 { span.append(byte) }
            for byte in closing.utf8 { span.append(byte) }
        }
    }

    /// Writes with what only knows arrays.
    mutating func write(_ body: (inout [UInt8]) -> Void) { body(&written) }

    /// Bytes that may stay where they are.
    mutating func splice(_ bytes: ArraySlice<UInt8>) {
        guard bytes.count >= Self.shortestSplice else { return written.append(contentsOf: bytes) }
        splices.append(Splice(place: written.count, bytes: bytes))
        spliced += bytes.count
    }

    /// The same text with another beginning.
    ///
    /// - Parameter count: bytes to replace, all of them written.
    func replacingFirst(_ count: Int, with beginning: [UInt8]) -> SplicedText {
        var text = SplicedText(capacity: written.count - count + beginning.count)
        text.written.append(contentsOf: beginning)
        text.written.append(contentsOf: written[count...])
        text.splices = splices
        for index in text.splices.indices { text.splices[index].place += beginning.count - count }
        text.spliced = spliced
        return text
    }

    /// The whole text.
    var bytes: [UInt8] {
        guard !splices.isEmpty else { return written }
        // As many bytes are written as there is room for.
        return unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            initialized = unsafe copy(to: UnsafeMutableRawBufferPointer(buffer))
        }
    }

    /// Copies the whole text to memory of at least `count` bytes.
    ///
    /// - Returns: `count`.
    @discardableResult
    func copy(to target: UnsafeMutableRawBufferPointer) -> Int {
        // Parts are written one behind the other, and all of them together are as long as this.
        precondition(target.count >= count)
        var end = 0
        func append(_ bytes: UnsafeRawBufferPointer) {
            unsafe UnsafeMutableRawBufferPointer(rebasing: target[end..<end + bytes.count]).copyMemory(from: bytes)
            end += bytes.count
        }
        unsafe written.withUnsafeBytes { written in
            var rest = 0
            for splice in splices {
                unsafe append(UnsafeRawBufferPointer(rebasing: written[rest..<splice.place]))
                unsafe splice.bytes.withUnsafeBytes { unsafe append($0) }
                rest = splice.place
            }
            unsafe append(UnsafeRawBufferPointer(rebasing: written[rest...]))
        }
        return end
    }
}
