import Testing

@testable import OCISimulator

enum OpenAIPath {
    static let chat = "/openai/v1/chat/completions"

    /// One with two API keys, one with one.
    static func accounts() throws -> [SimulatedAccount] {
        let plain = try SimulatedAccount.generate(2)
        return [
            try plain[0].with(apiKeys: ["first-key", "second-key"]), try plain[1].with(apiKeys: ["third-key"]),
        ]
    }

    /// Two tools without much to fill in, and a message that wants both.
    static let tools: JSON = [
        "messages": [["role": "user", "content": "use get_weather and get_time"]],
        "tools": [
            [
                "type": "function",
                "function": [
                    "name": "get_weather",
                    "parameters": [
                        "type": "object", "properties": ["city": ["type": "string"]], "required": ["city"],
                    ],
                ],
            ],
            [
                "type": "function",
                "function": ["name": "get_time", "parameters": ["type": "object", "properties": [:]]],
            ],
        ],
    ]
}

/// Asks OCI's own OpenAI-compatible path without sockets.
protocol OpenAIPathSuite {
    var accounts: [SimulatedAccount] { get }
}

extension OpenAIPathSuite {
    func service(_ change: (inout SimulatorConfiguration) -> Void = { _ in }) -> SimulatedService {
        var configuration = SimulatorConfiguration(accounts: accounts)
        configuration.now = { 1_800_000_000 }
        change(&configuration)
        return SimulatedService(configuration)
    }

    func request(
        _ body: JSON? = nil, path: String = OpenAIPath.chat, authorization: [String] = ["Bearer first-key"],
        compartments: [String]? = nil
    ) -> SignedRequest {
        var headers = authorization.map { (name: "Authorization", value: $0) }
        for compartment in compartments ?? [accounts[0].compartment ?? ""] {
            headers.append((name: "opc-compartment-id", value: compartment))
        }
        return SignedRequest(
            method: body == nil ? "GET" : "POST", target: path, headers: headers, body: body?.bytes ?? [])
    }

    func chat(_ members: JSON = [:], model: String = "xai.grok-4.3") -> JSON {
        var body: JSON = ["model": .string(model), "messages": [["role": "user", "content": "hello there"]]]
        for member in members.object?.members ?? [] { body[member.name] = member.value }
        return body
    }

    func read(_ script: ReplyScript) throws -> (status: Int, json: JSON) {
        guard case .whole(let body, nil) = script.form else {
            Issue.record("no whole answer")
            return (script.status, .null)
        }
        return (script.status, try JSONParser.parse(body))
    }

    func ask(_ body: JSON, pacing: Pacing = Pacing()) throws -> (status: Int, json: JSON) {
        try read(service { $0.pacing = pacing }.answer(request(body)).script)
    }

    /// The events of a stream; `[DONE]` as a string.
    func events(_ script: ReplyScript) throws -> [JSON] {
        guard case .stream(let chunks, _, _) = script.form else {
            Issue.record("no stream, but \(try read(script))")
            return []
        }
        return try chunks.map { chunk in
            let line = String(decoding: chunk.bytes, as: UTF8.self)
            try #require(line.hasPrefix("data: ") && line.hasSuffix("\n\n"))
            let data = line.dropFirst(6).dropLast(2)
            return data == "[DONE]" ? "[DONE]" : try JSONParser.parse(Array(data.utf8))
        }
    }

    func events(_ members: JSON, model: String = "xai.grok-4.3") throws -> [JSON] {
        var body = chat(members, model: model)
        body["stream"] = true
        return try events(service().answer(request(body)).script)
    }

    func delta(_ chunk: JSON) -> JSON? { chunk["choices"]?.array?.first?["delta"] }
}
