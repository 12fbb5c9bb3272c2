/// How much a request for pictures, sound or moderations asks of its model, as far as its body tells before it is passed on.
struct ForwardedSize: Equatable, Sendable {
    /// Tokens of its texts and pictures; nil for a form, of which nothing is read but the model.
    var prompt: Int64?
    /// Unicode scalars of the text that is to be spoken.
    var characters: Int64 = 0
    /// Pictures that are asked for.
    var pictures: Int64 = 1
    /// What one of them may take, in tokens.
    var tokensOfPicture = ForwardedSize.finePicture

    /// The largest ones, in the best quality. It is what an upstream may choose when nothing is said.
    private static let finePicture: Int64 = 6300
    private static let mediumPicture: Int64 = 1600
    private static let coarsePicture: Int64 = 400
    private static let mostPictures = 100

    /// - Parameter request: nil for a form.
    init(of request: JSONValue? = nil) {
        guard let request else { return }
        prompt = PromptSize.tokens(ofForwarded: request)
        characters = PromptSize.characters(ofTexts: request)
        pictures = Int64(min(max(request["n"]?.int ?? 1, 1), Self.mostPictures))
        if let quality = request["quality"] {
            if quality.equals("low") { tokensOfPicture = Self.coarsePicture }
            if quality.equals("medium") || quality.equals("standard") { tokensOfPicture = Self.mediumPicture }
        }
    }
}

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
