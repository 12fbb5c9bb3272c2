/// The members of OpenAI's chat request, key by key, as far as OCI's own OpenAI-compatible path takes them (OCI wire
/// notes 7). Whatever has no place here is refused, `store` among it.
package enum OpenAIShapes {
    private static let some = 1...Int.max

    private static let text: [Shape.Field] = [.required("text", .string)]

    private static let texts = Shape.either([
        .string, .list(.tagged(by: "type", ["text": text]), count: some),
    ])

    private static let userContent = Shape.either([
        .string,
        .list(
            .tagged(
                by: "type",
                [
                    "text": text,
                    "image_url": [
                        .required(
                            "image_url",
                            .object([
                                .required("url", .nonEmptyString),
                                .optional("detail", .oneOf(["auto", "low", "high"])),
                            ]))
                    ],
                    "input_audio": [
                        .required(
                            "input_audio",
                            .object([.required("data", .nonEmptyString), .required("format", .oneOf(["wav", "mp3"]))]))
                    ],
                    "file": [
                        .required(
                            "file",
                            .object([
                                .optional("file_data", .nonEmptyString), .optional("file_id", .nonEmptyString),
                                .optional("filename", .string),
                            ]))
                    ],
                ]), count: some),
    ])

    private static let assistantContent = Shape.either([
        .string,
        .list(.tagged(by: "type", ["text": text, "refusal": [.required("refusal", .string)]]), count: some),
    ])

    private static let toolCall = Shape.tagged(
        by: "type",
        [
            "function": [
                .required("id", .nonEmptyString),
                .required("function", .object([.required("name", .name), .required("arguments", .string)])),
            ]
        ])

    private static let message: Shape = {
        let plain: [Shape.Field] = [.required("content", texts), .optional("name", .string)]
        return .tagged(
            by: "role",
            [
                "system": plain, "developer": plain,
                "user": [.required("content", userContent), .optional("name", .string)],
                "assistant": [
                    .optional("content", .nullable(assistantContent)), .optional("name", .string),
                    .optional("refusal", .nullable(.string)), .optional("tool_calls", .list(toolCall, count: some)),
                ],
                "tool": [.required("content", texts), .required("tool_call_id", .nonEmptyString)],
            ])
    }()

    private static let tool = Shape.tagged(
        by: "type",
        [
            "function": [
                .required(
                    "function",
                    .object([
                        .required("name", .name), .optional("description", .string),
                        .optional("parameters", .freeObject), .optional("strict", .nullable(.bool)),
                    ]))
            ]
        ])

    private static let toolChoice = Shape.either([
        .oneOf(["none", "auto", "required"]),
        .tagged(by: "type", ["function": [.required("function", .object([.required("name", .name)]))]]),
    ])

    private static let responseFormat = Shape.tagged(
        by: "type",
        [
            "text": [], "json_object": [],
            "json_schema": [
                .required(
                    "json_schema",
                    .object([
                        .required("name", .name), .optional("description", .string), .optional("schema", .freeObject),
                        .optional("strict", .nullable(.bool)),
                    ]))
            ],
        ])

    private static let userLocation = Shape.tagged(
        by: "type",
        [
            "approximate": [
                .required(
                    "approximate", .object(["city", "region", "country", "timezone"].map { .optional($0, .string) }))
            ]
        ])

    /// Members that may be null as well as absent, as OpenAI has it.
    private static let nullable: [(name: String, shape: Shape)] = [
        ("stream", .bool),
        ("stream_options", .object([.optional("include_usage", .bool), .optional("include_obfuscation", .bool)])),
        ("n", .integer(1...8)),
        ("max_tokens", .integer(some)),
        ("max_completion_tokens", .integer(some)),
        ("temperature", .number(0...2)),
        ("top_p", .number(0...1)),
        ("frequency_penalty", .number(-2...2)),
        ("presence_penalty", .number(-2...2)),
        ("seed", .integer(Int.min...Int.max)),
        ("stop", .either([.string, .list(.string, count: 1...4)])),
        ("logprobs", .bool),
        ("top_logprobs", .integer(0...20)),
        ("logit_bias", .freeObject),
        ("metadata", .freeObject),
        (
            "prediction",
            .tagged(by: "type", ["content": [.required("content", texts)]])
        ),
        ("reasoning_effort", .oneOf(["none", "minimal", "low", "medium", "high", "xhigh"])),
        ("verbosity", .oneOf(["low", "medium", "high"])),
        ("service_tier", .oneOf(["auto", "default", "flex", "priority"])),
        ("modalities", .list(.oneOf(["text"]), count: some)),
    ]

    package static let chat = Shape.object(
        [
            .required("model", .nonEmptyString),
            .required("messages", .list(message, count: some)),
            .optional("tools", .list(tool, count: 1...128)),
            .optional("tool_choice", toolChoice),
            .optional("parallel_tool_calls", .bool),
            .optional("response_format", responseFormat),
            .optional(
                "web_search_options",
                .object([
                    .optional("search_context_size", .oneOf(["low", "medium", "high"])),
                    .optional("user_location", .nullable(userLocation)),
                ])),
            .optional("user", .string), .optional("safety_identifier", .string),
            .optional("prompt_cache_key", .string), .optional("prompt_cache_retention", .string),
        ] + nullable.map { .optional($0.name, .nullable($0.shape)) })
}
