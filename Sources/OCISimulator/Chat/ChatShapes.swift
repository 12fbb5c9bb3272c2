/// The forms of OCI wire notes 3.1 to 3.6, key by key.
package enum ChatShapes {
    private static let any = 0...Int.max
    private static let some = 1...Int.max

    private static let servingMode = Shape.tagged(
        by: "servingType",
        [
            "ON_DEMAND": [.required("modelId", .nonEmptyString)],
            "DEDICATED": [.required("endpointId", .nonEmptyString)],
        ])

    package static func details(_ chatRequest: Shape) -> Shape {
        .object([
            .required("compartmentId", .nonEmptyString), .required("servingMode", servingMode),
            .required("chatRequest", chatRequest),
        ])
    }

    package static let chat = details(
        .tagged(by: "apiFormat", ["GENERIC": generic, "COHERE": cohere, "COHEREV2": cohereV2]))

    private static let streamOptions = Shape.object([.optional("isIncludeUsage", .bool)])
    private static let penalty = Shape.number(-2...2)

    // MARK: GENERIC (3.2)

    private static func media(_ member: String) -> [Shape.Field] {
        [
            .required(
                member,
                .object([.required("url", .nonEmptyString), .optional("detail", .oneOf(["AUTO", "HIGH", "LOW"]))]))
        ]
    }

    private static let textPart: [Shape.Field] = [.required("text", .string)]

    private static let content = Shape.list(
        .tagged(
            by: "type",
            [
                "TEXT": textPart, "IMAGE": media("imageUrl"), "AUDIO": media("audioUrl"),
                "VIDEO": media("videoUrl"), "DOCUMENT": media("documentUrl"),
            ]), count: any)

    private static let toolCall = Shape.tagged(
        by: "type",
        [
            "FUNCTION": [
                .required("id", .nonEmptyString), .required("name", .name), .required("arguments", .string),
            ]
        ])

    private static let message: Shape = {
        let plain: [Shape.Field] = [.required("content", content), .optional("name", .string)]
        return .tagged(
            by: "role",
            [
                "SYSTEM": plain, "DEVELOPER": plain, "USER": plain,
                "ASSISTANT": [
                    .optional("content", content), .optional("name", .string), .optional("refusal", .string),
                    .optional("toolCalls", .list(toolCall, count: some)),
                    .optional("annotations", .list(.freeObject, count: any)),
                    .optional("reasoningContent", .string),
                ],
                "TOOL": [.required("content", content), .required("toolCallId", .nonEmptyString)],
            ])
    }()

    private static let generic: [Shape.Field] = [
        .required("messages", .list(message, count: some)),
        .optional("isStream", .bool),
        .optional("streamOptions", streamOptions),
        .optional("numGenerations", .integer(1...8)),
        .optional("maxTokens", .integer(some)),
        .optional("maxCompletionTokens", .integer(some)),
        .optional("temperature", .number(0...2)),
        .optional("topP", .number(0...1)),
        .optional("topK", .integer(-1...Int.max)),
        .optional("frequencyPenalty", penalty),
        .optional("presencePenalty", penalty),
        .optional("seed", .integer(Int.min...Int.max)),
        .optional("stop", .list(.string, count: any)),
        .optional("logProbs", .integer(0...20)),
        .optional("logitBias", .freeObject),
        .optional("isEcho", .bool),
        .optional(
            "tools",
            .list(
                .tagged(
                    by: "type",
                    [
                        "FUNCTION": [
                            .required("name", .name), .optional("description", .string),
                            .optional("parameters", .freeObject),
                        ]
                    ]), count: 0...128)),
        .optional(
            "toolChoice",
            .tagged(
                by: "type", ["NONE": [], "AUTO": [], "REQUIRED": [], "FUNCTION": [.required("name", .name)]])),
        .optional("isParallelToolCalls", .bool),
        .optional(
            "responseFormat",
            .tagged(
                by: "type",
                [
                    "TEXT": [], "JSON_OBJECT": [],
                    "JSON_SCHEMA": [
                        .required(
                            "jsonSchema",
                            .object([
                                .required("name", .nonEmptyString), .optional("description", .string),
                                .optional("schema", .freeObject), .optional("isStrict", .bool),
                            ]))
                    ],
                ])),
        .optional("reasoningEffort", .oneOf(["NONE", "MINIMAL", "LOW", "MEDIUM", "HIGH"])),
        .optional("verbosity", .oneOf(["LOW", "MEDIUM", "HIGH"])),
        .optional("metadata", .freeObject),
        .optional(
            "prediction",
            .tagged(
                by: "type",
                ["CONTENT": [.required("content", .list(.tagged(by: "type", ["TEXT": textPart]), count: any))]])),
        .optional(
            "webSearchOptions",
            .object([
                .optional("searchContextSize", .oneOf(["HIGH", "MEDIUM", "LOW"])),
                .optional(
                    "userLocation",
                    .object(["city", "region", "country", "timezone"].map { .optional($0, .string) })),
            ])),
        .optional("serviceTier", .oneOf(["AUTO", "DEFAULT", "PRIORITY"])),
    ]

    // MARK: COHERE (3.4)

    private static let cohereCall = Shape.object([.required("name", .name), .required("parameters", .freeObject)])

    private static let cohereResults = Shape.list(
        .object([.required("call", cohereCall), .required("outputs", .list(.freeObject, count: any))]), count: some)

    private static let cohereFormat = Shape.tagged(
        by: "type", ["TEXT": [], "JSON_OBJECT": [.optional("schema", .freeObject)]])

    private static let cohere: [Shape.Field] = [
        .required("message", .string),
        .optional(
            "chatHistory",
            .list(
                .tagged(
                    by: "role",
                    [
                        "USER": [.required("message", .string)], "SYSTEM": [.required("message", .string)],
                        "CHATBOT": [
                            .optional("message", .string), .optional("toolCalls", .list(cohereCall, count: some)),
                        ],
                        "TOOL": [.required("toolResults", cohereResults)],
                    ]), count: any)),
        .optional("preambleOverride", .string),
        .optional("documents", .list(.freeObject, count: any)),
        .optional(
            "tools",
            .list(
                .object([
                    .required("name", .name), .required("description", .nonEmptyString),
                    .optional("parameterDefinitions", .freeObject),
                ]), count: 0...128)),
        .optional("toolResults", cohereResults),
        .optional("isForceSingleStep", .bool),
        .optional("responseFormat", cohereFormat),
        .optional("maxTokens", .integer(some)),
        .optional("maxInputTokens", .integer(some)),
        .optional("temperature", .number(0...2)),
        .optional("topK", .integer(0...500)),
        .optional("topP", .number(0...1)),
        .optional("frequencyPenalty", penalty),
        .optional("presencePenalty", penalty),
        .optional("seed", .integer(Int.min...Int.max)),
        .optional("stopSequences", .list(.string, count: any)),
        .optional("isStream", .bool),
        .optional("streamOptions", streamOptions),
        .optional("isEcho", .bool),
        .optional("isRawPrompting", .bool),
        .optional("isSearchQueriesOnly", .bool),
        .optional("promptTruncation", .oneOf(["OFF", "AUTO_PRESERVE_ORDER"])),
        .optional("citationQuality", .oneOf(["ACCURATE", "FAST"])),
        .optional("safetyMode", .oneOf(["CONTEXTUAL", "STRICT", "OFF"])),
    ]

    /// One entry of `parameterDefinitions`; its keys are the parameters' names, so it is checked apart.
    package static let parameterDefinition = Shape.object([
        .required("type", .oneOf(["str", "int", "float", "bool", "list", "dict"])),
        .optional("description", .string), .optional("isRequired", .bool),
    ])

    // MARK: COHEREV2 (3.5)

    private static let contentV2 = Shape.list(
        .tagged(
            by: "type",
            [
                "TEXT": textPart, "IMAGE_URL": media("imageUrl"),
                "DOCUMENT": [.required("document", .freeObject)], "THINKING": [.required("thinking", .string)],
            ]), count: any)

    private static let messageV2: Shape = {
        let plain: [Shape.Field] = [.required("content", contentV2)]
        let call = Shape.tagged(
            by: "type",
            [
                "FUNCTION": [
                    .required("id", .nonEmptyString),
                    .required("function", .object([.required("name", .name), .required("arguments", .string)])),
                ]
            ])
        return .tagged(
            by: "role",
            [
                "SYSTEM": plain, "USER": plain,
                "ASSISTANT": plain + [
                    .optional("toolCalls", .list(call, count: some)), .optional("toolPlan", .string),
                    .optional("citations", .list(.freeObject, count: any)),
                ],
                "TOOL": plain + [.required("toolCallId", .nonEmptyString)],
            ])
    }()

    private static let cohereV2: [Shape.Field] = [
        .required("messages", .list(messageV2, count: some)),
        .optional(
            "tools",
            .list(
                .tagged(
                    by: "type",
                    [
                        "FUNCTION": [
                            .required(
                                "function",
                                .object([
                                    .required("name", .name), .optional("description", .string),
                                    .optional("parameters", .freeObject),
                                ]))
                        ]
                    ]), count: 0...128)),
        .optional("toolsChoice", .oneOf(["REQUIRED", "NONE"])),
        .optional("isStrictToolsEnabled", .bool),
        .optional(
            "thinking",
            .tagged(
                by: "type", ["ENABLED": [.optional("tokenBudget", .integer(some))], "DISABLED": []])),
        .optional("responseFormat", cohereFormat),
        .optional("citationOptions", .object([.optional("mode", .oneOf(["FAST", "ACCURATE", "OFF"]))])),
        .optional("documents", .list(.freeObject, count: any)),
        .optional("isLogProbsEnabled", .bool),
        .optional("priority", .integer(0...Int.max)),
        .optional("maxTokens", .integer(some)),
        .optional("temperature", .number(0...2)),
        .optional("topK", .integer(0...500)),
        .optional("topP", .number(0...1)),
        .optional("frequencyPenalty", penalty),
        .optional("presencePenalty", penalty),
        .optional("seed", .integer(Int.min...Int.max)),
        .optional("stopSequences", .list(.string, count: any)),
        .optional("isStream", .bool),
        .optional("streamOptions", streamOptions),
        .optional("isSearchQueriesOnly", .bool),
        .optional("isRawPrompting", .bool),
        .optional("safetyMode", .oneOf(["CONTEXTUAL", "STRICT", "OFF"])),
    ]

    // MARK: Embeddings and rerank (3.6)

    package static let embed = Shape.object([
        .required("compartmentId", .nonEmptyString), .required("servingMode", servingMode),
        .optional("inputs", .list(.string, count: 1...96)),
        .optional(
            "embedContents",
            .list(.tagged(by: "type", ["TEXT": textPart, "IMAGE": media("imageUrl")]), count: some)),
        .optional(
            "embeddingTypes",
            .list(.oneOf(["float", "int8", "uint8", "binary", "ubinary", "base64"]), count: some)),
        .optional("outputDimensions", .integer(1...4096)),
        .optional("truncate", .oneOf(["NONE", "START", "END"])),
        .optional(
            "inputType",
            .oneOf(["SEARCH_DOCUMENT", "SEARCH_QUERY", "CLASSIFICATION", "CLUSTERING", "IMAGE"])),
        .optional("isEcho", .bool),
    ])

    package static let rerank = Shape.object([
        .required("compartmentId", .nonEmptyString), .required("servingMode", servingMode),
        .required("input", .nonEmptyString),
        .required("documents", .list(.string, count: some)),
        .optional("topN", .integer(some)),
        .optional("isEcho", .bool),
        .optional("maxChunksPerDocument", .integer(some)),
        .optional("maxTokensPerDocument", .integer(some)),
    ])
}
