extension RescuePlan.Demands {
    private static let grammars: [StaticString] = [
        "guided_json", "guided_regex", "guided_choice", "guided_grammar", "regex", "ebnf", "json_schema", "grammar",
        "format",
    ]

    /// - Parameter request: a chat completion's.
    init(of request: PassThroughRequest) {
        self.init()
        choices = request.choices
        guard let root = try? JSONDocument(parsing: request.received).root else { return }
        wantsLogprobs = root.present("logprobs")?.bool == true || root.present("top_logprobs")?.int ?? 0 > 0
        // Servers have grammars of their own.
        wantsFormat =
            (root.present("response_format") ?? root.present("structured_outputs")).map {
                $0["type"]?.equals("text") != true
            } ?? false || Self.grammars.contains { root.present($0) != nil }
        let choice = root.present("tool_choice") ?? root.present("function_call")
        let isFree = choice.map { $0["type"]?.equals("auto") == true || $0["type"]?.equals("none") == true } ?? true
        forcesTool = choice.map { $0.kind == .object && !isFree || $0.equals("required") || $0.equals("any") } ?? false
        let endsWithAssistant = root.elements(of: "messages").last?["role"]?.equals("assistant") == true
        let tools = [root.elements(of: "tools"), root.elements(of: "functions")]
        mustRepeat = !tools.allSatisfy(\.isEmpty) && choice?.equals("none") != true || endsWithAssistant
        mostTokens = ["max_tokens", "max_completion_tokens"].compactMap { (name: StaticString) in
            root.present(name)?.int
        }
        .min()
    }
}
