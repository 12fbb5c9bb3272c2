extension NearestName {
    /// Up to `limit` of `candidates` that somebody may have meant, the nearest first. More generous than `of`: what
    /// begins with the name, or with which the name begins, counts as near too (`grok` for `grok-4`).
    static func several(to name: String, among candidates: [String], limit: Int) -> [String] {
        let wanted = name.lowercased()
        let ranked = candidates.compactMap { candidate -> (name: String, rank: Int)? in
            let known = candidate.lowercased()
            // The name of a model without its provider.
            if known.hasSuffix("/" + wanted) { return (candidate, 0) }
            let distance = distance(String(wanted.prefix(64)), String(known.prefix(64)))
            if wanted.count > 2, known.hasPrefix(wanted) || wanted.hasPrefix(known) { return (candidate, min(distance, 2)) }
            return distance <= max(2, max(wanted.count, known.count) / 3) && distance < wanted.count ? (candidate, distance) : nil
        }
        return ranked.sorted { ($0.rank, $0.name) < ($1.rank, $1.name) }.prefix(limit).map(\.name)
    }
}
