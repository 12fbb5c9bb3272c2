/// `GET /20231130/models` and `GET /20231130/endpoints` (OCI wire notes 6).
package struct ModelListing {
    package let catalogue: Catalogue
    package let region: String
    /// Empty: any compartment.
    package let compartments: [String]
    /// Models on a page when the request sets no `limit`.
    package let pageSize: Int
    /// Puts an empty page before the last one: the service may send such.
    package let hasEmptyPage: Bool

    package struct Page {
        package var body: JSON
        package var next: String?
    }

    package func models(_ query: Query) throws(ServiceError) -> Page {
        let compartment = try compartment(query)
        let known: Set = [
            "compartmentId", "vendor", "capability", "lifecycleState", "displayName", "id", "limit", "page",
            "sortOrder", "sortBy",
        ]
        if let stranger = query.items.first(where: { !known.contains($0.name) }) {
            throw .invalidParameter("Unknown query parameter '\(stranger.name)'")
        }
        let capabilities = query.all("capability")
        let chosen = catalogue.models(in: region).filter { model in
            query.matches("vendor", model.vendor) && query.matches("lifecycleState", model.lifecycleState)
                && query.matches("displayName", model.name) && query.matches("id", model.ocid(in: region))
                && (capabilities.isEmpty || capabilities.contains(where: model.capabilities.contains))
        }
        let page = try page(of: chosen.count, query)
        let items = chosen[page.range].map { $0.summary(in: region, compartment: compartment) }
        return Page(body: ["items": .array(items)], next: page.next)
    }

    package func endpoints(_ query: Query) throws(ServiceError) -> Page {
        let compartment = try compartment(query)
        let items = catalogue.endpoints(in: region).map { endpoint -> JSON in
            [
                "id": .string(endpoint.id), "displayName": .string(endpoint.model.name),
                "modelId": .string(endpoint.model.ocid(in: region)), "compartmentId": .string(compartment),
                "dedicatedAiClusterId": .string("ocid1.generativeaidedicatedaicluster.oc1.\(region).amaaaaaacluster"),
                "lifecycleState": "ACTIVE", "timeCreated": .string(endpoint.model.timeCreated),
            ]
        }
        return Page(body: ["items": .array(items)], next: nil)
    }

    private func compartment(_ query: Query) throws(ServiceError) -> String {
        guard let compartment = query.all("compartmentId").first, !compartment.isEmpty else {
            throw .missingParameter("Missing required parameter compartmentId")
        }
        guard compartments.isEmpty ? compartment.hasPrefix("ocid1.") : compartments.contains(compartment) else {
            throw .notAuthorizedOrNotFound
        }
        return compartment
    }

    /// Page tokens are opaque to clients: an offset, and an `e` when the page is to be empty.
    private func page(of count: Int, _ query: Query) throws(ServiceError) -> (range: Range<Int>, next: String?) {
        var size = pageSize
        if let text = query.all("limit").first {
            guard let limit = Int(text), (1...1000).contains(limit) else {
                throw .invalidParameter("limit must be between 1 and 1000")
            }
            size = limit
        }
        var start = 0
        if let token = query.all("page").first {
            let text = token.hasPrefix("offset+/") ? token.dropFirst("offset+/".count) : ""
            guard let offset = Int(text.hasSuffix("e=") ? text.dropLast(2) : text), (0...count).contains(offset) else {
                throw .invalidParameter("Invalid page token")
            }
            if text.hasSuffix("e=") { return (offset..<offset, "offset+/\(offset)") }
            start = offset
        }
        let end = min(start + max(size, 1), count)
        guard end < count else { return (start..<end, nil) }
        // The token holds characters that must be percent-encoded in a query.
        let isBeforeLast = end + max(size, 1) >= count
        return (start..<end, "offset+/\(end)\(hasEmptyPage && isBeforeLast ? "e=" : "")")
    }
}

/// The query of a request target.
package struct Query: Sendable {
    package let items: [(name: String, value: String)]

    package init(target: String) {
        guard let mark = target.firstIndex(of: "?") else {
            items = []
            return
        }
        items = target[target.index(after: mark)...].split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (Self.decode(parts[0]), parts.count > 1 ? Self.decode(parts[1]) : "")
        }
    }

    package func all(_ name: String) -> [String] { items.filter { $0.name == name }.map(\.value) }

    /// True when the parameter is absent or one of its values is `value`, in any case.
    package func matches(_ name: String, _ value: String) -> Bool {
        let wanted = all(name)
        return wanted.isEmpty || wanted.contains { $0.lowercased() == value.lowercased() }
    }

    /// Percent decoding, with `+` for a space.
    private static func decode(_ text: Substring) -> String {
        var output: [UInt8] = []
        var bytes = text.utf8.makeIterator()
        while let byte = bytes.next() {
            switch byte {
            case UInt8(ascii: "+"): output.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = bytes.next(), let low = bytes.next(),
                    let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16)
                else { return String(decoding: output, as: UTF8.self) }
                output.append(value)
            default: output.append(byte)
            }
        }
        return String(decoding: output, as: UTF8.self)
    }
}
