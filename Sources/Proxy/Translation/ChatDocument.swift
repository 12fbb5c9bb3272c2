/// A chat as it is sent to an upstream.
enum ChatDocument: Sendable {
    /// In OCI's form, but for the compartment.
    case details(CallDetails)
    /// In OpenAI's form.
    case openAI([UInt8])
}

/// The forms of chats. An upstream takes one of them.
enum ChatForm: Sendable {
    /// OCI's own, in the dialect of the model.
    case oci
    /// OpenAI's: what the client sent passes through.
    case openAI
}
