import NIOCore

/// Bounds on what one connection may ask of the process before a request is even looked at.
struct ConnectionLimits: Sendable {
    /// Bytes of all header fields of a request, and of one.
    var headers = 32 * 1024
    var headerField = 16 * 1024
    var headerCount = 128
    /// From the last answer (or the accept) until the next head is whole. Above the 60 s for which clients keep a
    /// connection in their pool, so that it is they who close it.
    var headTimeout = TimeAmount.seconds(75)
    /// The longest silence inside a body.
    var bodyTimeout = TimeAmount.seconds(60)
    /// Bytes a second that a body brings at least, in the long run: one that comes byte by byte would keep its claim to memory for ever.
    var slowestBody: Int64 = 4 * 1024
    /// For how long a client may leave what we send unacknowledged or its window shut. One that takes a little now and then is not cut.
    var writeTimeout = TimeAmount.seconds(60)
    /// For how long a connection is read on after its last answer, so that the client gets to see that answer.
    var lingerTimeout = TimeAmount.seconds(5)
    /// What a connection on which nothing is being asked has left for one more head once the process is told to stop.
    var drainTimeout = TimeAmount.seconds(1)
}
