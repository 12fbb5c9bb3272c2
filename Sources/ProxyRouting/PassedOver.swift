/// One that could serve a request and did not get it, and why.
package struct PassedOver: Equatable, Sendable {
    /// As many as the books have candidates (`AttemptReport.Call.candidates`): whoever could have been asked and is not among these was well.
    package static let most = 64

    /// Its index in the router's list.
    package let upstream: Int
    /// The reason is the model's there, and not the upstream's own.
    package let isOfModel: Bool
    package let availability: Availability
}
