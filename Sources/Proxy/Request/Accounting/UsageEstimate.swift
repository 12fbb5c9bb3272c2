/// What a call may use at most, as far as that can be told before it is made. In tokens.
struct UsageEstimate: Equatable, Sendable {
    var prompt: Int64 = 0
    var completion: Int64 = 0
    /// Unicode scalars that are sent, where the model is billed by them; else nil.
    var characters: Int64?
    /// Good for a reservation alone: what a whole answer does not tell is not known.
    var isVague = false

    /// - Parameters:
    ///   - prompt: what the model reads (`PromptSize`).
    ///   - completion: what is asked for at most.
    init(prompt: Int64 = 0, completion: Int = 0, characters: Int64? = nil) {
        self.prompt = prompt
        self.completion = Int64(completion)
        self.characters = characters
    }

    /// The same for a model that is billed by characters.
    func counting(characters: Int64?) -> UsageEstimate {
        var estimate = self
        estimate.characters = characters
        return estimate
    }
}
