extension UsageEstimate {
    /// - Parameters:
    ///   - path: the end of the provider's.
    ///   - body: bytes of it, with all that is still to come.
    ///   - countsCharacters: the model is billed by them.
    init(forwarding size: ForwardedSize, to path: String, body: Int, countsCharacters: Bool) {
        self.init()
        isVague = true
        if path.hasPrefix("/images/") {
            // A form has one picture at least, unless it has none.
            prompt = size.prompt ?? Int64(PromptSize.image)
            completion = size.pictures * size.tokensOfPicture
        } else if path.hasSuffix("/speech") {
            prompt = size.prompt ?? 0
            completion = prompt * Self.spokenTokens
        } else if path.hasPrefix("/audio/") {
            prompt = size.prompt ?? PromptSize.tokens(ofSound: body)
            completion = prompt / Self.heardTokens + 1
        } else {
            prompt = size.prompt ?? 0
        }
        // The count that costs is that of the text.
        if countsCharacters { (characters, completion) = (size.characters, 0) }
    }

    /// Tokens of sound for one of text: 15 characters and 21 tokens a second.
    private static let spokenTokens: Int64 = 6
    /// Tokens of sound that make one of text, at least.
    private static let heardTokens: Int64 = 4
}
