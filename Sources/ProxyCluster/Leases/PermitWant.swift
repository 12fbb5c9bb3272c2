/// What an instance wants of one object: an account, a model of it, a tenancy.
package struct PermitWant: Equatable, Sendable {
    /// The same at all instances: 1 to 256 bytes.
    package var name: String
    /// Of all instances together; 0 or more.
    package var limit: Int
    package var inFlight: Int
    /// Requests that would go there if they could.
    package var waiting: Int

    package init(name: String, limit: Int, inFlight: Int, waiting: Int) {
        self.name = name
        self.limit = limit
        self.inFlight = inFlight
        self.waiting = waiting
    }
}
