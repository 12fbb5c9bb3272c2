/// An error answer of the service: status and `{"code", "message"}` (OCI wire notes 3.7).
package struct ServiceError: Error, Equatable {
    package var status: Int
    /// A documented name, or the status as text: both styles occur.
    package var code: String
    package var message: String

    package init(_ status: Int, code: String? = nil, _ message: String) {
        self.status = status
        self.code = code ?? String(status)
        self.message = message
    }

    package var body: JSON { ["code": .string(code), "message": .string(message)] }

    package static let notAuthenticated = ServiceError(
        401, code: "NotAuthenticated",
        "The required information to complete authentication was not provided or was incorrect.")
    package static let cannotParse = ServiceError(400, code: "CannotParseRequest", "Incorrectly formatted request.")
    package static let wrongFormat = ServiceError(400, "Please pass in correct format of request")
    package static let formatDoesNotFitModel = ServiceError(400, "Chat request type does not match serving model.")
    package static let notFound = ServiceError(404, "Authorization failed or requested resource not found.")
    package static let notAuthorizedOrNotFound = ServiceError(
        404, code: "NotAuthorizedOrNotFound", "Authorization failed or requested resource not found.")
    package static let methodNotAllowed = ServiceError(405, code: "MethodNotAllowed", "Method not allowed.")
    package static let tooLarge = ServiceError(413, "Payload Too Large")

    package static func retired(_ model: String, version: String) -> ServiceError {
        ServiceError(400, "Model \(model) \(version) is retired")
    }

    package static func invalidParameter(_ message: String) -> ServiceError {
        ServiceError(400, code: "InvalidParameter", message)
    }

    package static func missingParameter(_ message: String) -> ServiceError {
        ServiceError(400, code: "MissingParameter", message)
    }

    /// xAI's own error as a JSON text inside `message`.
    package static func xai(_ message: String) -> ServiceError {
        ServiceError(400, (["code": "Client specified an invalid argument", "error": .string(message)] as JSON).text)
    }

    /// OpenAI's own error as a JSON text inside `message`.
    package static func openAI(_ message: String, param: String, code: String) -> ServiceError {
        let error: JSON = [
            "error": [
                "message": .string(message), "type": "invalid_request_error", "param": .string(param),
                "code": .string(code),
            ]
        ]
        return ServiceError(400, error.text)
    }
}
