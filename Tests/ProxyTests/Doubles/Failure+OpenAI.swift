@testable import Proxy
@testable import ProxyRouting

/// What a client of the OpenAI API is told about a failure.
extension Failure {
    var status: Int { OpenAIError(self).status }
    var type: String { OpenAIError(self).type }
    var code: String? { OpenAIError(self).code }
    var param: String? { field }
    var forbidsRetry: Bool { OpenAIError(self).forbidsRetry }
    var body: [UInt8] { OpenAIError(self).body }

    /// What a model teaches by it.
    func lesson(for family: ModelFamily) -> ParameterQuirk? {
        guard kind == .parameterRefused, let field else { return nil }
        return ParameterQuirk(field, family: family)
    }

    /// What it speaks of, where more than one kind of failure is told in one way.
    var about: FailureSubject? {
        switch kind {
        case .refused, .parameterRefused, .formatRefused, .contentFiltered: .request
        case .promptTooLong: .promptTooLong
        case .modelNotAllowed: .modelNotAllowed
        case .modelGone: .modelGone
        case .throttled: .throttled
        case .accountExhausted: .accountExhausted
        case .accountDoubted: .accountDoubted
        case .credentialsRefused: .credentialsRefused
        case .credentialsDoubted: .credentialsDoubted
        case .unavailable: .unavailable
        case .failed: .failed
        case .timedOut: .timedOut
        case .unusable: .wrongKind
        case .invalidRequest, .notFound, .unacceptable, .unauthorized, .forbidden, .rateLimited,
            .tokensLimited, .concurrencyLimited, .budgetExceeded, .overloaded, .conflict,
            .noUpstreamAvailable, .shuttingDown,
            .internalError, .deadline, .transport, .signing, .noCredentials:
            nil
        }
    }
}

enum FailureSubject: Equatable, Sendable {
    case request, promptTooLong, modelNotAllowed, modelGone, throttled, accountExhausted, accountDoubted,
        credentialsRefused, credentialsDoubted
    case unavailable, failed, timedOut, wrongKind
}
