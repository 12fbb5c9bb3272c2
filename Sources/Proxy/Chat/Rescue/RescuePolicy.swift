/// How far the configuration has broken answers rescued.
struct RescuePolicy: Sendable {
    var mode = RescueMode.off
    var byModel: [String: RescueMode] = [:]
    var byProvider: [String: RescueMode] = [:]
    /// For all rescues of a request together.
    var limit = Duration.seconds(20)
    var counters = RescueCounters()

    init() {}

    init(_ settings: Settings, counting counters: RescueCounters) {
        (mode, byModel, limit) = (settings.rescue.mode, settings.rescue.models, settings.rescue.timeout)
        // Of several entries of one name, the one that wants least speaks for all: the stream of each may be gone on with by the others.
        for provider in settings.providers {
            let modes = [provider.rescue, byProvider[provider.name]].compactMap(\.self)
            byProvider[provider.name] = modes.min()
        }
        self.counters = counters
    }

    /// A model has the mode that is set for it under the name that the client uses, else the least of those under its other names; then its provider's, then everybody's.
    ///
    /// - Parameters:
    ///   - model: as the client names it.
    ///   - provider: that has it; nil for a model of OCI's.
    ///   - isSame: whether another name means that model.
    ///   - wish: the client's header, which may only ask for less.
    func mode(
        for model: String, of provider: String?, isSame: (String) -> Bool = { _ in false }, wish: () -> String?
    ) -> RescueMode {
        let own = byModel[model] ?? byModel.filter { isSame($0.key) }.map(\.value).min()
        let mode = own ?? provider.flatMap { byProvider[$0] } ?? mode
        guard mode > .off, let wish = wish() else { return mode }
        // What is no mode asks for none: who writes it wants less than there is.
        return wish.split(separator: ",", omittingEmptySubsequences: false).reduce(mode) { mode, word in
            let word = word.trimmingPrefix(while: \.isWhitespace).lowercased()
            return min(mode, RescueMode(rawValue: String(word.prefix { !$0.isWhitespace })) ?? .off)
        }
    }
}
