/// One that could serve a request and did not get it, and why.
package struct PassedOver: Equatable, Sendable {
    /// More of them say nothing that these do not.
    package static let most = 16

    /// Its index in the router's list.
    package let upstream: Int
    /// The reason is the model's there, and not the upstream's own.
    package let isOfModel: Bool
    package let availability: Availability
}
