import ProxyRouting

/// How one client is answered, in the language in which it has asked: one value for one request, made by the reader of that language.
///
/// Whatever a client speaks, its request becomes a chat completion's, and what the model says comes as `ChatEventSink` has it. So a dialect knows no upstream,
/// and none of what lies between knows a dialect.
///
/// A class: a request holds it in several places for as long as its stream lasts.
protocol ClientDialect: AnyObject, Sendable {
    associatedtype Stream: ChatByteSink
    associatedtype Document: ChatDocumentSink

    /// Names the answer, and the calls to which the upstream gives no id.
    var response: ResponseID { get }
    /// Where the client speaks chat completions itself: then what an upstream says in that form passes as it is.
    var chatCompletions: ChatCompletionsDialect? { get }
    /// The request as it came, for an upstream that speaks the same.
    var native: NativeRequest? { get }
    /// Of its answers, beside what every answer has.
    var headers: [(String, String)] { get }

    /// Writes the events of an answer's stream.
    func stream() -> Stream
    /// Gathers an answer that is sent whole.
    func document() -> Document

    /// Tells a client that waits that it is not forgotten.
    ///
    /// - Parameters:
    ///   - kind: a comment, or an event for those who count nothing else.
    ///   - id: of the answer, where the upstream has named it.
    func keepAlive(_ kind: KeepAliveSchedule.Reassurance, id: String?) -> [UInt8]

    /// A failure with the client's own names of what is to blame.
    func worded(_ failure: Failure) -> Failure
    /// A failure before anything has been sent.
    func error(_ failure: Failure) -> ClientError
    /// A failure behind the headers, when nothing of an answer has been told.
    func errorEvent(_ failure: Failure) -> [UInt8]

    /// The request ends with a message of the assistant's, which the model is to go on with.
    var continuesAnswer: Bool { get }
    /// The oldest messages may go where a model cannot take all of them.
    var mayTruncate: Bool { get }
    /// Whether an answer in which nothing is said is told to this client, when no upstream does better.
    var acceptsSilence: Bool { get }
    /// Whether to say nothing is an answer like others to this client, which speaks against no upstream.
    var isSilenceAnAnswer: Bool { get }
    /// The same for an answer that another model gives.
    func naming(_ model: String) -> Self
}

extension ClientDialect {
    var chatCompletions: ChatCompletionsDialect? { nil }
    var native: NativeRequest? { nil }
    var headers: [(String, String)] { [] }
    var continuesAnswer: Bool { false }
    var mayTruncate: Bool { false }
    var acceptsSilence: Bool { false }
    var isSilenceAnAnswer: Bool { false }
    func worded(_ failure: Failure) -> Failure { failure }
}

/// A request in its client's own language, on its way to an upstream that speaks it too.
final class NativeRequest: Sendable {
    let dialect: ProviderDialect
    let request: PassThroughRequest
    /// The client's own that belong to the API.
    let headers: [NativeHeader]
    /// Where the upstream must be at home that it goes to: what it builds on is kept there. Nil: anywhere.
    let home: String?
    /// Is told the ids of what an upstream keeps for the client: the response, and its items.
    let onKept: Note?

    typealias Note = @Sendable (_ id: String, _ upstream: String, _ model: String, _ name: String) -> Void

    init(
        _ dialect: ProviderDialect, _ request: PassThroughRequest, headers: [NativeHeader] = [], home: String? = nil,
        onKept: Note? = nil
    ) {
        self.dialect = dialect
        self.request = request
        self.headers = headers
        self.home = home
        self.onKept = onKept
    }
}

/// A sink that gathers an answer into one document.
protocol ChatDocumentSink: ChatEventSink {
    /// The document, once all has been told.
    ///
    /// - Parameter capacity: bytes that it will have, or somewhat more.
    func written(capacity: Int) -> ClientResponse
}
