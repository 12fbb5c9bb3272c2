/// Tools that Anthropic defines and the client runs: its own models know their schemas, others must be told.
enum MessagesClientTools {
    /// - Parameter type: such as `bash_20250124`.
    /// - Returns: the members of the function behind its name, a comma before each; nil for tools that run elsewhere.
    static func function(of type: String) -> StaticString? {
        if type.hasPrefix("bash_") { return bash }
        if type.hasPrefix("text_editor_") { return textEditor }
        return type.hasPrefix("memory_") ? memory : nil
    }

    private static let bash: StaticString =
        #","description":"Run a command in a persistent bash session.","parameters":{"type":"object","properties":{"command":{"type":"string"},"restart":{"type":"boolean"}}}"#
    private static let textEditor: StaticString =
        #","description":"View, create and edit text files.","parameters":{"type":"object","required":["command","path"],"properties":{"command":{"type":"string","enum":["view","create","str_replace","insert"]},"path":{"type":"string"},"file_text":{"type":"string"},"old_str":{"type":"string"},"new_str":{"type":"string"},"insert_line":{"type":"integer"},"insert_text":{"type":"string"},"view_range":{"type":"array","items":{"type":"integer"}}}}"#
    private static let memory: StaticString =
        #","description":"Read and write files below /memories.","parameters":{"type":"object","required":["command"],"properties":{"command":{"type":"string","enum":["view","create","str_replace","insert","delete","rename"]},"path":{"type":"string"},"file_text":{"type":"string"},"old_str":{"type":"string"},"new_str":{"type":"string"},"insert_line":{"type":"integer"},"insert_text":{"type":"string"},"old_path":{"type":"string"},"new_path":{"type":"string"},"view_range":{"type":"array","items":{"type":"integer"}}}}"#
}
