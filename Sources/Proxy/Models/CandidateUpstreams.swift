import ProxyRouting

/// Who may be asked for an id.
struct CandidateUpstreams {
    let accounts: [ModelCatalog.Account]
    let offers: [String: UpstreamSet]

    /// Those that list it and those that have listed nothing yet, whatever they have refused. An id that nobody lists may
    /// work all the same (the list is not the last word): then everybody in its region, else everybody, is asked.
    func offering(_ id: String) -> UpstreamSet {
        let able = accounts.indices.filter { accounts[$0].canName(id) }
        let undiscovered = able.filter { accounts[$0].models == nil }
        if let listed = offers[id] { return UpstreamSet(Array(listed) + undiscovered) }
        let region = Self.region(of: id)
        let inRegion = able.filter { accounts[$0].region == region }
        return UpstreamSet(inRegion.isEmpty ? able : inRegion)
    }

    /// The region in an OCID: `ocid1.generativeaiendpoint.oc1.us-chicago-1.…`; nil for what is no OCID.
    private static func region(of id: String) -> String? {
        let parts = id.utf8.split(separator: UInt8(ascii: "."), maxSplits: 4, omittingEmptySubsequences: false)
        return parts.count == 5 && parts[0].elementsEqual("ocid1".utf8) && !parts[3].isEmpty
            ? String(Substring(parts[3])) : nil
    }
}
