import NIOCore
import NIOHTTP1
import ProxyRouting
import ProxyTelemetry

/// One request and its answer: what every route needs to know, and the one way to answer.
///
/// A class, since it is at hand in each step of a request: the memory of its task holds it once. It belongs to that task.
final class RequestContext {
    let request: ClientRequest
    let connection: ClientConnection
    /// `x-request-id` of the answer and of the log.
    let id: String
    /// When the request was whole.
    let arrival: Duration
    /// The same in microseconds since 1970.
    let arrivedAt: Int64
    let decoration: Decoration
    /// What the access log will say.
    var record: AccessRecord
    let trace: RequestTrace
    /// Where it is among those that run, if anybody may look for it there.
    var place: RunningRequests.Place?
    /// Whose key it came with; nil where none was needed.
    var caller: Caller? {
        didSet { record.key = caller?.name }
    }
    /// What its calls are charged by; nil where nothing is written down or limited.
    var prices: Prices?
    /// What it takes of what its key may use; nil where that is not limited.
    var charge: RequestCharge? {
        get { decoration.charge }
        set { decoration.charge = newValue }
    }
    /// What the path is served under, where the endpoint refuses a method by itself.
    var allowedMethods: [HTTPMethod] = []
    /// The rest of the path, where the endpoint takes one.
    var rest: String?
    private let drain: Drain

    init(
        _ request: ClientRequest, on connection: ClientConnection, decoration: Decoration, drain: Drain,
        at now: Duration, _ wallClock: Int64 = 0, tracedAs head: RequestTrace.Head = RequestTrace.Head(),
        _ start: TraceStart? = nil
    ) {
        arrivedAt = wallClock
        trace = RequestTrace(head, start: start)
        self.request = request
        self.connection = connection
        self.decoration = decoration
        self.drain = drain
        id = decoration.requestID
        arrival = now
        record = AccessRecord(id: decoration.requestID, method: request.head.method.rawValue, target: request.head.uri)
        record.received = request.body.count
    }

    /// The answer has begun, piece by piece, by a route that does not tell failures in it: no other one can take its place.
    var hasBegun = false
    /// The process is about to end: what could go on for ever ends now.
    var isDraining: Bool { drain.isDraining }

    /// Breaks an answer off that has begun: a part of it must not pass for the whole, so the connection ends with it.
    func breakOff() { connection.channel.close(promise: nil) }

    /// The access line, when nothing is added to it any more: moved, since to copy it means to count eight references.
    func endRecord() -> AccessRecord {
        var ended = AccessRecord.empty
        swap(&ended, &record)
        return ended
    }

    /// Sends a whole answer.
    func send(_ answer: Response) {
        record.status = Int(answer.status.code)
        record.sent = answer.body.readableBytes
        charge?.settleMinute { trace.tokensUsed }
        connection.send(decorated(answer), withoutBody: request.head.method == .HEAD)
    }

    /// What is to be said to the client of a request that ended with `error`; nil when nobody is left to be told.
    ///
    /// Besides errors of ours only cancellation is thrown up to a route, and that has two causes: the client has left, or the process
    /// ends.
    func terminalError(after error: any Error) -> Failure? {
        if let error = error as? Failure { return error }
        return drain.isOver && connection.channel.isActive ? .shuttingDown : nil
    }

    /// The answer with the headers that every answer has.
    func decorated(_ answer: Response) -> Response {
        var answer = answer
        decoration.apply(to: &answer)
        return answer
    }

    /// Those headers on top of a stream's own.
    func decorated(_ headers: HTTPHeaders) -> HTTPHeaders {
        var headers = headers
        decoration.apply(to: &headers)
        return headers
    }
}

/// The header fields that every answer carries.
///
/// A class, since a copy would take a reference to each of its parts. It belongs to its request's task.
final class Decoration {
    let requestID: String
    let cors: CORS
    let origin: String?
    /// Seconds since 1970, for `date`.
    let wallClock: Int64
    /// What the request's key has left, when that is limited.
    var rate: RequestBucket.Standing?
    /// What the request takes of what its key may use, of which the answer says what is left; nil where that is not limited.
    var charge: RequestCharge?
    /// What has become of the request, where the answer is to say it (`x-ociai-route`).
    var route: RequestTrace?
    /// What an endpoint has to say besides.
    var more: [(String, String)] = []

    /// - Parameter fields: nil for a request whose head could not be read.
    init(for fields: KnownFields?, cors: CORS, wallClock: Int64) {
        requestID = RequestID.of(fields?.requestID)
        origin = fields?.origin
        self.cors = cors
        self.wallClock = wallClock
    }

    func apply(to headers: inout HTTPHeaders) {
        headers = HTTPHeaders(fields(behind: headers))
    }

    /// As an array: added one by one to `HTTPHeaders`, each is searched for line breaks, which none of ours has.
    private func fields(behind headers: HTTPHeaders, length: Int? = nil) -> [(String, String)] {
        var fields: [(String, String)] = []
        fields.reserveCapacity(headers.count + 8)
        for (name, value) in headers where length == nil || !name.isEqualIgnoringCase(to: "content-length") {
            fields.append((name, value))
        }
        fields.append(("date", HTTPDate.ofNow(wallClock)))
        fields.append(("x-request-id", requestID))
        if let rate { fields += rate.fields }
        if let charge { fields += charge.fields }
        if let line = route?.routeLine { fields.append(("x-ociai-route", line)) }
        fields += more
        cors.decorate(&fields, for: origin)
        if let length { fields.append(("content-length", String(length))) }
        return fields
    }

    func apply(to answer: inout Response) {
        let length = answer.status == .noContent ? nil : answer.body.readableBytes
        answer.headers = HTTPHeaders(fields(behind: answer.headers, length: length))
    }
}
