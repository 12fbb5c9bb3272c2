/// The client's bytes of a stream that is passed on: each event as its upstream wrote it, but for the model's name.
struct PassThroughFrames {
    /// What has been written and not been taken yet.
    var bytes: [UInt8] = []
    /// The name that the client sent, with its quotes.
    private let model: [UInt8]

    init(model: String) { self.model = ModelMember.quoted(model) }

    /// An event that has been written anew: its data, in one line.
    mutating func append(data: ArraySlice<UInt8>) {
        bytes.append(literal: "data: ")
        ModelMember.append(data, replacing: ModelMember.ranges(in: data), with: model, to: &bytes)
        bytes.append(literal: "\n\n")
    }

    mutating func appendDone() { bytes.append(literal: "data: [DONE]\n\n") }

    /// - Parameter range: of the name in the block's data; nil when it has none.
    mutating func append(_ block: EventBlocks.Block, of blocks: EventBlocks, replacing range: Range<Int>?) {
        guard let range, !block.hasOtherLines else {
            return append(block, of: blocks, replacing: range.map { [$0] } ?? [])
        }
        bytes.append(contentsOf: blocks.bytes[block.range.lowerBound..<range.lowerBound])
        bytes.append(contentsOf: model)
        bytes.append(contentsOf: blocks.bytes[range.upperBound..<block.range.upperBound])
        closeIfCut(block)
    }

    /// An event without a member of its data, of one line.
    ///
    /// - Parameters:
    ///   - range: of the model's name; nil when it has none.
    ///   - value: of the member that goes, with its name and a comma.
    mutating func append(
        _ block: EventBlocks.Block, of blocks: EventBlocks, replacing range: Range<Int>?,
        leavingOutValue value: Range<Int>
    ) {
        guard let member = Self.member(ofValue: value, in: blocks.bytes, within: block.range) else {
            return append(block, of: blocks, replacing: range)
        }
        var rest = block.range.lowerBound
        func copy(upTo place: Int, then next: Int, _ bytes: inout [UInt8]) {
            bytes.append(contentsOf: blocks.bytes[rest..<place])
            rest = next
        }
        if let range, range.lowerBound < member.lowerBound {
            copy(upTo: range.lowerBound, then: range.upperBound, &bytes)
            bytes.append(contentsOf: model)
        }
        copy(upTo: member.lowerBound, then: member.upperBound, &bytes)
        if let range, range.lowerBound >= member.upperBound {
            copy(upTo: range.lowerBound, then: range.upperBound, &bytes)
            bytes.append(contentsOf: model)
        }
        copy(upTo: block.range.upperBound, then: block.range.upperBound, &bytes)
        closeIfCut(block)
    }

    /// Where a member `usage` stands with one of the commas beside it; nil where it is written in another way.
    private static func member(ofValue value: Range<Int>, in bytes: [UInt8], within limits: Range<Int>) -> Range<Int>? {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
        var start = value.lowerBound
        func back() { while start > limits.lowerBound, isSpace(bytes[start - 1]) { start -= 1 } }
        func isBehind(_ byte: UInt8) -> Bool { start > limits.lowerBound && bytes[start - 1] == byte }
        back()
        guard isBehind(UInt8(ascii: ":")) else { return nil }
        start -= 1
        back()
        guard start - 7 > limits.lowerBound, bytes[start - 7..<start].elementsEqual(("\"usage\"" as StaticString).utf8)
        else { return nil }
        start -= 7
        let name = start
        back()
        if isBehind(UInt8(ascii: ",")) { return start - 1..<value.upperBound }
        // The first one takes the comma behind it along.
        var end = value.upperBound
        while end < limits.upperBound, isSpace(bytes[end]) { end += 1 }
        guard isBehind(UInt8(ascii: "{")), end < limits.upperBound, bytes[end] == UInt8(ascii: ",") else { return nil }
        return name..<end + 1
    }

    /// - Parameter ranges: each within a line.
    mutating func append(_ block: EventBlocks.Block, of blocks: EventBlocks, replacing ranges: [Range<Int>]) {
        if block.hasOtherLines {
            for line in blocks.eventLines(of: block) {
                ModelMember.append(
                    blocks.bytes[line], replacing: ranges.filter { line.contains($0.lowerBound) }, with: model,
                    to: &bytes)
            }
        } else {
            ModelMember.append(blocks.bytes[block.range], replacing: ranges, with: model, to: &bytes)
        }
        closeIfCut(block)
    }

    /// Adds the blank line that an event lacks: the end of the stream took it, or it was never there.
    private mutating func closeIfCut(_ block: EventBlocks.Block) {
        guard block.isCut else { return }
        if bytes.last != UInt8(ascii: "\n") { bytes.append(UInt8(ascii: "\n")) }
        bytes.append(UInt8(ascii: "\n"))
    }
}
