import NIOHTTP1

/// The fields that are looked for in the head of every request, found in one pass: each look walks through all of them.
struct KnownFields: Sendable {
    /// The first of each name.
    private(set) var authorization: String?
    /// `x-api-key`.
    private(set) var ownKey: String?
    /// `api-key`.
    private(set) var shortKey: String?
    /// `x-request-id`.
    private(set) var requestID: String?
    private(set) var origin: String?
    /// `x-ociai-route`.
    private(set) var route: String?
    /// `content-encoding`.
    private(set) var coding: String?

    /// Of a request that came over no connection.
    static let none = KnownFields([:])

    init(_ headers: HTTPHeaders) {
        for (name, value) in headers {
            // By length first: nearly all names differ in it.
            switch name.utf8.count {
            case 6 where origin == nil && name.isEqualIgnoringCase(to: "origin"): origin = value
            case 7 where shortKey == nil && name.isEqualIgnoringCase(to: "api-key"): shortKey = value
            case 9 where ownKey == nil && name.isEqualIgnoringCase(to: "x-api-key"): ownKey = value
            case 12 where requestID == nil && name.isEqualIgnoringCase(to: "x-request-id"): requestID = value
            case 13 where authorization == nil && name.isEqualIgnoringCase(to: "authorization"): authorization = value
            case 13 where name.isEqualIgnoringCase(to: "x-ociai-route"): route = value
            case 16 where coding == nil && name.isEqualIgnoringCase(to: "content-encoding"): coding = value
            default: break
            }
        }
    }
}
