/// The document of a call to OCI (ChatDetails, EmbedTextDetails, RerankTextDetails) but for the compartment, which is the
/// account's: translated once, however many accounts are tried.
struct CallDetails: Sendable {
    private let object: SplicedText

    /// - Parameter object: a JSON object with at least one member and without `compartmentId`; its bracket is written, no splice.
    init(_ object: SplicedText) {
        self.object = object
    }

    /// The whole document.
    func document(in compartment: String) -> SplicedText {
        var writer = JSONWriter(capacity: compartment.utf8.count + 32)
        writer.beginObject()
        writer.key("compartmentId")
        writer.string(compartment)
        return object.replacingFirst(1, with: writer.bytes + [UInt8(ascii: ",")])
    }
}

extension ServingMode {
    /// The member `servingMode` of every call.
    func write(to writer: inout JSONWriter) {
        writer.key("servingMode")
        writer.beginObject()
        writer.key("servingType")
        switch self {
        case .onDemand(let id):
            writer.string(literal: "ON_DEMAND")
            writer.key("modelId")
            writer.string(id)
        case .dedicated(let id):
            writer.string(literal: "DEDICATED")
            writer.key("endpointId")
            writer.string(id)
        }
        writer.endObject()
    }
}
