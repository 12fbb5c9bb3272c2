import NIOCore
import NIOHTTP1

/// A call to one of the services that give out credentials. Answers are small.
struct CredentialService: Sendable {
    /// How messages call it, such as "the instance metadata service".
    let name: String
    let transport: any HTTPTransport

    static let largest = 256 << 10

    /// Sends it and returns the body of a 200.
    ///
    /// - Parameters:
    ///   - mend: for a service that cannot be reached.
    ///   - refusalFix: for one that answers with another status.
    /// - Throws: `CredentialFailure`, `CancellationError`.
    func body(of request: TransportRequest, fix: String, refusalFix: (_ status: Int) -> String) async throws -> [UInt8]
    {
        do {
            let response = try await transport.send(request)
            let body = try await response.collect(upTo: Self.largest)
            guard response.status == 200 else {
                // A code is a word; the rest of an answer could hold anything.
                let code =
                    (try? JSONDocument(parsing: body).root["code"]?.string).flatMap { $0 }.map { ", \($0.prefix(64))" }
                    ?? ""
                throw CredentialFailure(
                    "\(name) returned HTTP \(response.status)\(code)", fix: refusalFix(response.status))
            }
            return body
        } catch let error as TransportError {
            throw CredentialFailure("\(name) at \(request.url) \(error.reason)", fix: fix)
        }
    }
}

extension TransportError {
    /// What happened, as the end of a sentence about a service.
    var reason: String {
        switch self {
        case .cannotConnect(let reason): "cannot be reached: \(reason)"
        case .connectTimeout: "cannot be reached in time"
        case .tls(let reason): "cannot be reached over TLS: \(reason)"
        case .connectionLost(let reason), .answerCut(let reason): "disconnected: \(reason)"
        case .malformedAnswer(let reason): "sent an invalid HTTP response: \(reason)"
        case .tooLarge(let limit): "returned more than \(limit) bytes"
        }
    }
}
