import ProxyRouting

/// What comes back to an `OperatorCall`: a status, and a body that is read as it comes.
package struct OperatorAnswer: Sendable {
    package let status: Int
    /// Who has answered, for people: a proxy with its address and process, or the ledger itself.
    package let origin: String
    /// The next piece of the body; nil at its end. For one reader.
    ///
    /// Throws when the body breaks off: what has been read is then no whole one.
    let next: @Sendable () async throws -> [UInt8]?

    /// It has been done.
    package var isSuccess: Bool { (200..<300).contains(status) }

    /// The next piece of the body; nil at its end.
    ///
    /// - Throws: `ExitError` when it breaks off; `CancellationError`.
    package func piece() async throws -> [UInt8]? {
        do {
            return try await next()
        } catch let error as TransportError {
            throw ExitError(.cannotBind, "the answer broke off: \(error.words); what has come is not all of it")
        }
    }

    /// The whole body.
    ///
    /// - Throws: as `piece`.
    package func document() async throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let piece = try await piece() {
            bytes += piece
            guard bytes.count <= Self.largest else {
                throw ExitError(.cannotBind, "the answer is larger than \(ByteSize.format(Self.largest))")
            }
        }
        return bytes
    }

    /// Far more than a table has.
    private static let largest = 64 << 20
}

extension TransportError {
    /// As a clause.
    var words: String {
        switch self {
        case .cannotConnect(let reason), .connectionLost(let reason), .answerCut(let reason): reason
        case .connectTimeout: "no connection in time"
        case .tls(let reason): "TLS failed: \(reason)"
        case .malformedAnswer(let reason): "it is no HTTP: \(reason)"
        case .tooLarge(let limit): "it is larger than \(ByteSize.format(limit))"
        }
    }
}
