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
