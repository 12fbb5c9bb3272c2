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
