/// The members of a request to OCI's own Responses API, key by key (OCI wire notes 7 names the call; its body is OpenAI's). Whatever has no place here is
/// refused.
package enum ResponsesShapes {
    private static let some = 1...Int.max

    private static let inputParts = Shape.list(
        .tagged(
            by: "type",
            [
                "input_text": [.required("text", .string)],
                "input_image": [.required("image_url", .nonEmptyString), .optional("detail", .string)],
                "output_text": [
                    .required("text", .string), .optional("annotations", .list(.freeObject, count: 0...Int.max)),
                    .optional("logprobs", .list(.freeObject, count: 0...Int.max)),
                ],
                "refusal": [.required("refusal", .string)],
            ]), count: 0...Int.max)

    private static let status = Shape.Field.optional("status", .nullable(.string))

    private static let item = Shape.either([
        .tagged(
            by: "type",
            [
                "message": [
                    .required("role", .oneOf(["user", "assistant", "system", "developer"])),
                    .required("content", .either([.string, inputParts])), .optional("id", .nonEmptyString), status,
                ],
                "function_call": [
                    .required("call_id", .nonEmptyString), .required("name", .name), .required("arguments", .string),
                    .optional("id", .nonEmptyString), status,
                ],
                "function_call_output": [
                    .required("call_id", .nonEmptyString), .required("output", .either([.string, inputParts])),
                    .optional("id", .nonEmptyString), status,
                ],
                "reasoning": [
                    .required("summary", .list(.freeObject, count: 0...Int.max)), .optional("id", .nonEmptyString),
                    .optional("content", .list(.freeObject, count: 0...Int.max)),
                    .optional("encrypted_content", .nullable(.string)), status,
                ],
                "item_reference": [.required("id", .nonEmptyString)],
            ]),
        .object([
            .required("role", .oneOf(["user", "assistant", "system", "developer"])),
            .required("content", .either([.string, inputParts])),
        ]),
    ])

    private static let webSearch: [Shape.Field] = [
        .optional("search_context_size", .nullable(.string)), .optional("filters", .nullable(.freeObject)),
        .optional("user_location", .nullable(.freeObject)), .optional("external_web_access", .nullable(.bool)),
    ]

    private static let tool = Shape.tagged(
        by: "type",
        [
            "function": [
                .required("name", .name), .optional("description", .string),
                .optional("parameters", .nullable(.freeObject)), .optional("strict", .nullable(.bool)),
            ],
            "web_search": webSearch, "web_search_preview": webSearch,
            "mcp": [
                .required("server_label", .nonEmptyString), .optional("server_url", .nonEmptyString),
                .optional("headers", .nullable(.freeObject)),
                .optional("require_approval", .either([.string, .freeObject])),
                .optional("allowed_tools", .nullable(.list(.string, count: 0...Int.max))),
            ],
            "image_generation": [.optional("size", .string), .optional("quality", .string)],
            "file_search": [.required("vector_store_ids", .list(.string, count: some))],
            "code_interpreter": [.required("container", .either([.string, .freeObject]))],
        ])

    private static let nullable: [(name: String, shape: Shape)] = [
        ("instructions", .string), ("stream", .bool), ("store", .bool), ("background", .bool),
        ("previous_response_id", .nonEmptyString), ("max_output_tokens", .integer(some)),
        ("temperature", .number(0...2)), ("top_p", .number(0...1)), ("parallel_tool_calls", .bool),
        ("reasoning", .object([.optional("effort", .nullable(.string)), .optional("summary", .nullable(.string))])),
        (
            "text",
            .object([.optional("format", .freeObject), .optional("verbosity", .nullable(.string))])
        ),
        ("include", .list(.string, count: 0...Int.max)), ("metadata", .freeObject),
        ("truncation", .oneOf(["auto", "disabled"])), ("user", .string), ("prompt_cache_key", .string),
        ("safety_identifier", .string), ("service_tier", .string), ("max_tool_calls", .integer(some)),
        ("top_logprobs", .integer(0...20)),
        ("stream_options", .object([.optional("include_obfuscation", .bool)])),
        ("prompt_cache_retention", .string),
    ]

    package static let request = Shape.object(
        [
            .required("model", .nonEmptyString),
            .required("input", .either([.string, .list(item, count: some)])),
            .optional("tools", .list(tool, count: 0...128)),
            .optional("tool_choice", .either([.string, .freeObject])),
        ] + nullable.map { .optional($0.name, .nullable($0.shape)) })
}
