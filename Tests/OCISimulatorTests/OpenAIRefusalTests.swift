import Testing

@testable import OCISimulator

/// Which chat requests the OpenAI-compatible path refuses.
@Suite struct OpenAIRefusalTests: OpenAIPathSuite {
    let accounts: [SimulatedAccount]

    init() throws { accounts = try OpenAIPath.accounts() }

    static let refused: [(members: JSON, status: Int)] = [
        (["top_k": 3], 400), (["store": true], 400), (["store": false], 400), (["store": .null], 400),
        (["maxTokens": 3], 400), (["compartmentId": "ocid1.compartment.oc1..a"], 400), (["stream": "yes"], 400),
        (["messages": []], 400), (["messages": .null], 400), (["temperature": 3], 400), (["n": 1.5], 400),
        (["audio": ["voice": "a", "format": "mp3"]], 400), (["modalities": ["audio"]], 400),
        (["stream_options": ["include_usage": true, "other": 1]], 400),
        (["messages": [["role": "user", "content": "a", "cache_control": [:]]]], 400),
        (["messages": [["role": "user", "content": [["type": "text", "text": "a", "x": 1]]]]], 400),
        (["messages": [["role": "assistant", "content": "a", "reasoning_content": "b"]]], 400),
        (
            [
                "messages": [
                    ["role": "user", "content": [["type": "image_url", "image_url": ["url": "https://a/b.png"]]]]
                ]
            ], 400
        ),
        (["messages": [["role": "tool", "content": "a", "tool_call_id": "call_1"]]], 400),
        (["tools": [["type": "web_search"]]], 400),
        (["tools": [["type": "function", "function": ["name": "a b"]]]], 400),
        (["tools": [["type": "function", "function": ["name": "f"]]]], 400),
        (["functions": [["name": "f"]]], 400), (["tool_choice": "any"], 400), (["stop": "x"], 400),
        (["reasoning_effort": "low"], 400),
        (["model": "cohere.command-a-03-2025"], 400), (["model": "cohere.unknown"], 400),
        (["model": "ocid1.generativeaiendpoint.oc1.us-chicago-1.amaaaaaaendpointcustom0001"], 400),
        (["model": "meta.llama-3.1-70b-instruct"], 400),
        (["model": "grok-4.3"], 404), (["model": "xai.grok-99"], 404), (["model": "google.gemini-2.5-pro"], 404),
        (["model": "my-support-bot"], 404), (["model": "meta.llama-9-8b-instruct"], 404),
        (["model": "openai.gpt-5", "max_tokens": 9], 400), (["model": "openai.gpt-5", "temperature": 0.5], 400),
    ]

    @Test(arguments: refused) func `It is refused`(members: JSON, status: Int) throws {
        let service = service()
        let answer = try read(service.answer(request(chat(members))).script)
        #expect(answer.status == status)
        #expect(answer.json["code"]?.string?.isEmpty == false)
        #expect(answer.json["message"]?.string?.isEmpty == false)
        #expect(service.log.records.first?.refusal?.isEmpty == false)
    }

    static let taken: [JSON] = [
        [
            "stream": .null, "stop": .null, "temperature": .null, "max_tokens": .null,
            "response_format": ["type": "text"],
        ],
        ["max_completion_tokens": 9, "temperature": 0.5, "top_p": 1, "seed": 4, "user": "u", "metadata": ["a": "b"]],
        ["n": 2, "logprobs": true, "top_logprobs": 2, "parallel_tool_calls": false, "verbosity": "low"],
        ["model": "meta.llama-3.3-70b-instruct", "stop": ["a", "b"], "reasoning_effort": "low"],
        ["model": "openai.gpt-5", "max_completion_tokens": 50, "temperature": 1],
        [
            "messages": [
                ["role": "system", "content": [["type": "text", "text": "s"]]],
                [
                    "role": "user",
                    "content": [
                        ["type": "text", "text": "u"],
                        ["type": "image_url", "image_url": ["url": "data:image/png;base64,AAAA"]],
                    ],
                ],
                [
                    "role": "assistant", "content": .null,
                    "tool_calls": [
                        ["id": "call_1", "type": "function", "function": ["name": "f", "arguments": "{}"]]
                    ],
                ],
                ["role": "tool", "content": "r", "tool_call_id": "call_1"],
            ]
        ],
    ]

    @Test(arguments: taken) func `It is taken`(members: JSON) throws {
        let answer = try ask(chat(members))
        #expect(answer.status == 200, "\(answer.json.text)")
    }

    @Test func `Wrong methods paths and bodies are refused`() throws {
        #expect(service().answer(request(path: OpenAIPath.chat)).script.status == 405)
        #expect(service().answer(request(chat(), path: "/openai/v1/models")).script.status == 405)
        #expect(service().answer(request(chat(), path: "/openai/v1/embeddings")).script.status == 404)
        var broken = request(chat())
        broken.body.removeLast()
        #expect(try read(service().answer(broken).script).json["code"] == "CannotParseRequest")
        #expect(service { $0.maximumBodySize = 10 }.answer(request(chat())).script.status == 413)
    }

    @Test func `Llama may refuse tools after a system message`() throws {
        let members: JSON = [
            "messages": [["role": "system", "content": "s"], ["role": "user", "content": "u"]],
            "tools": OpenAIPath.tools["tools"] ?? .null,
        ]
        for (model, isRefusing, status) in [
            ("meta.llama-3.3-70b-instruct", true, 400), ("meta.llama-3.3-70b-instruct", false, 200),
            ("xai.grok-4.3", true, 200),
        ] {
            let service = service { $0.refusesLlamaToolsAfterSystem = isRefusing }
            #expect(service.answer(request(chat(members, model: model))).script.status == status)
        }
    }
}
