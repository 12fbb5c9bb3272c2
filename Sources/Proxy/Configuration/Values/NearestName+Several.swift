extension NearestName {
    /// Candidates that are looked at; a list has fewer. Together they cost a fraction of a millisecond, on the event loop of a request.
    static let mostCandidates = 1000

    /// Up to `limit` of `candidates` that somebody may have meant, the nearest first. More generous than `of`: what
    /// begins with the name, or with which the name begins, counts as near too (`grok` for `grok-4`).
    static func several(to name: String, among candidates: some Sequence<String>, limit: Int) -> [String] {
        var steps = 0
        return several(to: name, among: candidates, limit: limit, &steps)
    }

    /// - Parameter steps: counts the bytes and scalars that are looked at, however long the names are.
    static func several(to name: String, among candidates: some Sequence<String>, limit: Int, _ steps: inout Int)
        -> [String]
    {
        guard ModelName.isShortEnough(name) else { return [] }
        let wanted = Array(name.lowercased().utf8)
        let length = name.unicodeScalars.count
        let pattern = Pattern(name)
        var ranked: [(name: String, rank: Int)] = []
        for candidate in candidates.prefix(mostCandidates) where ModelName.isShortEnough(candidate) {
            let known = Array(candidate.lowercased().utf8)
            steps += known.count
            // The name of a model without its provider.
            if known.count > wanted.count, known[known.count - wanted.count - 1] == UInt8(ascii: "/"),
                known.suffix(wanted.count).elementsEqual(wanted)
            {
                ranked.append((candidate, 0))
                continue
            }
            let distance = pattern.distance(to: letters(of: candidate), &steps)
            if length > 2, known.starts(with: wanted) || wanted.starts(with: known) {
                ranked.append((candidate, min(distance, 2)))
            } else if distance <= max(2, max(length, candidate.unicodeScalars.count) / 3), distance < length {
                ranked.append((candidate, distance))
            }
        }
        return ranked.sorted { ($0.rank, $0.name) < ($1.rank, $1.name) }.prefix(limit).map(\.name)
    }
}
