extension APIFormat {
    /// The format for one chat with a model that has several: COHEREV2 takes no tool with a dot in its name and cannot rename it.
    func suited(to chat: ChatRequest, of modelID: String) -> APIFormat {
        guard self == .cohereV2, modelID.lowercased().hasPrefix("cohere.command-a-03-2025"),
            chat.toolChoice != .required,
            chat.tools.contains(where: { $0.name.utf8.contains(UInt8(ascii: ".")) })
        else { return self }
        return .cohere
    }
}
