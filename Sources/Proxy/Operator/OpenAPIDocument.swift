// swift-format-ignore-file: a document in JSON, in the form in which people read it.

/// `GET /openapi.json`: what this process serves, in OpenAPI 3.1, with the schemas that are really enforced. A test compares it with the table of endpoints.
enum OpenAPIDocument {
    static let text: StaticString = ##"""
        {
          "openapi": "3.1.0",
          "info": {
            "title": "ociai-proxy", "version": "1", "summary": "OpenAI and Anthropic APIs in front of OCI Generative AI and OpenAI-compatible providers.",
            "description": "Paths under `/v1/` also work without the prefix, with a doubled one (`/v1/v1`, `//v1`) and with a trailing slash. HEAD is served wherever GET is, without the body. OPTIONS is answered on every path with 204, as a CORS preflight. Every answer carries `x-request-id`.\n\nMembers that a schema does not name are accepted. Where a type allows null, null means the same as an absent member. The schemas of requests say what this proxy refuses with 400; what a model family does not take beyond that (an image, `n` above 1, `logprobs`) is a 400 that names the parameter as well. Of chat completions, embeddings and reranks by a model that only providers serve, this proxy checks no more than `model` and `stream` and passes the rest on; the provider's answer comes back as it is but for `model`. Where only accounts with a Generative AI API key (`auth = bearer`) serve a model, a chat's `messages` have to be objects, and OCI judges the rest.\n\nFailures have OpenAI's shape, on `/v1/messages*` Anthropic's; a request with the header `anthropic-version` gets Anthropic's shape for what is refused before its endpoint, on any path. An operation with `{}` among its `security` wants a key of its role, or the operator on the machine itself: the role is `client` for the lists of models, `admin` for what changes something, else `viewer`. The cookie of `POST /dashboard/login` stands for the key that it was got for there. With `admin_listen`, the clients' address serves the model endpoints, `/v1/usage` and `/health` alone; what else there is answers 404 there, `/` and this document among it.\n\nBeside the statuses that are listed, any path may answer 408, 413 (where no body is expected), 414, 415 (a body with `content-encoding`), 500, or 503 while the proxy stops, and what an upstream refuses with another 4xx passes: 403 where it does not serve the model to this account or its filter refuses the request, or 422.\n\nA body may have `max_request_size` bytes (32 MiB unless configured), where none is expected 8 KiB, and no more than 524288 JSON values, or one for each 8 bytes if that is more."
          },
          "servers": [{"url":"/"}],
          "security": [{"bearer":[]},{"xApiKey":[]},{"apiKey":[]}],
          "tags": [
            {"name":"chat","description":"Chats, in three dialects, and the old completions."},
            {"name":"texts","description":"Embeddings and reranks."},
            {"name":"models","description":"What can be asked."},
            {"name":"keys","description":"Keys, what they have used, and the ledger of requests."},
            {"name":"operator","description":"State, statistics and orders."},
            {"name":"dashboard","description":"The operator's page, and what it asks for. Its documents follow the page, which comes with the same program."}
          ],
          "paths": {
            "/": {"get": {
              "operationId": "getRoot", "summary": "Name, version, mode and list of endpoints", "tags": ["operator"], "security": [],
              "responses": {
                "200": {"description":"What this is.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Root"}}}},
                "405": {"$ref":"#/components/responses/405"}
              }
            }},
            "/health": {"get": {
              "operationId": "getHealth", "summary": "Whether upstreams are usable",
              "description": "Reports what the health checks know. In aggregator mode without periodic checks it asks all providers, at most once in 10 s.",
              "tags": ["operator"], "security": [],
              "responses": {
                "200": {"description":"Healthy or degraded.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Health"}}}},
                "405": {"$ref":"#/components/responses/405"},
                "503": {"description":"No upstream is usable, or the proxy drains.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Health"}}}}
              }
            }},
            "/openapi.json": {"get": {
              "operationId": "getOpenAPI", "summary": "This document", "tags": ["operator"], "security": [],
              "responses": {
                "200": {"description":"OpenAPI 3.1.","content":{"application/json":{"schema":{"type":"object","required":["openapi","info","paths"]}}}},
                "405": {"$ref":"#/components/responses/405"}
              }
            }},
            "/v1/chat/completions": {"post": {
              "operationId": "createChatCompletion", "summary": "Chat completion, streamed or not", "tags": ["chat"],
              "requestBody": {
                "required": true,
                "content": {"application/json": {
                  "schema": {"$ref":"#/components/schemas/ChatRequest"},
                  "examples": {
                    "stream": {"value": {
                      "model": "grok-4", "stream": true, "stream_options": {"include_usage":true}, "max_tokens": 200,
                      "messages": [{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"Say hello."}]}]
                    }},
                    "tool": {"value": {
                      "model": "grok-4", "max_tokens": 200, "messages": [{"role":"user","content":"How warm is it in Oslo?"}],
                      "tools": [{
                        "type": "function",
                        "function": {"name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}
                      }],
                      "tool_choice": "auto"
                    }}
                  }
                }}
              },
              "responses": {
                "200": {
                  "description": "The answer. A stream's events are chunks; the last is `data: [DONE]`. A failure behind the headers is an event with an `Error`. Lines that begin with `:` are signs of life.",
                  "content": {
                    "application/json": {"schema":{"$ref":"#/components/schemas/ChatCompletion"}},
                    "text/event-stream": {"schema":{"type":"object","required":["data"],"properties":{"event":{"type":"string"},"data":{"anyOf":[{"const":"[DONE]"},{"type":"string","contentMediaType":"application/json","contentSchema":{"$ref":"#/components/schemas/ChatCompletionChunk"}}]}}}}
                  }
                },
                "400": {"$ref":"#/components/responses/400"}, "401": {"$ref":"#/components/responses/401"}, "403": {"$ref":"#/components/responses/403"}, "404": {"$ref":"#/components/responses/404"},
                "405": {"$ref":"#/components/responses/405"}, "413": {"$ref":"#/components/responses/413"}, "429": {"$ref":"#/components/responses/429"},
                "502": {"$ref":"#/components/responses/502"}, "503": {"$ref":"#/components/responses/503"}, "504": {"$ref":"#/components/responses/504"}
              }
            }},
            "/v1/responses": {"post": {
              "operationId": "createResponse", "summary": "OpenAI Responses, streamed or not",
              "description": "Kept for `GET /v1/responses/{id}` and `previous_response_id` unless `store` is false or the operator has turned it off. Tools that only OpenAI can run are left out beside others; alone they are refused.",
              "tags": ["chat"],
              "requestBody": {
                "required": true,
                "content": {"application/json": {
                  "schema": {"$ref":"#/components/schemas/ResponsesRequest"},
                  "examples": {"items": {"value": {
                    "model": "grok-4", "stream": true, "store": false, "instructions": "Be brief.", "reasoning": {"effort":"low"},
                    "input": [
                      {"role":"user","content":[{"type":"input_text","text":"How warm is it in Oslo?"}]},
                      {"type":"function_call","call_id":"call_1","name":"weather","arguments":"{\"city\":\"Oslo\"}"},
                      {"type":"function_call_output","call_id":"call_1","output":"3 degrees"}
                    ],
                    "tools": [{"type":"function","name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}]
                  }}}
                }}
              },
              "responses": {
                "200": {
                  "description": "The answer. A stream ends with `response.completed`, `response.incomplete` or `response.failed`; there is no `[DONE]`.",
                  "content": {
                    "application/json": {"schema":{"$ref":"#/components/schemas/Response"}},
                    "text/event-stream": {"schema":{"type":"object","required":["data"],"properties":{"event":{"type":"string"},"data":{"type":"string","contentMediaType":"application/json","contentSchema":{"$ref":"#/components/schemas/ResponseEvent"}}}}}
                  }
                },
                "400": {"$ref":"#/components/responses/400"}, "401": {"$ref":"#/components/responses/401"}, "403": {"$ref":"#/components/responses/403"}, "404": {"$ref":"#/components/responses/404"},
                "405": {"$ref":"#/components/responses/405"}, "413": {"$ref":"#/components/responses/413"}, "429": {"$ref":"#/components/responses/429"},
                "502": {"$ref":"#/components/responses/502"}, "503": {"$ref":"#/components/responses/503"}, "504": {"$ref":"#/components/responses/504"}
              }
            }},
            "/v1/responses/input_tokens": {"post": {
              "operationId": "countResponseTokens", "summary": "Estimate of a response's input tokens", "tags": ["chat"],
              "requestBody": {
                "required": true,
                "content": {"application/json": {
                  "schema": {"$ref":"#/components/schemas/ResponsesPrompt"}, "examples": {"text":{"value":{"model":"grok-4","input":"Say hello."}}}
                }}
              },
              "responses": {
                "200": {
                  "description": "An estimate.", "headers": {"x-ociai-estimate":{"$ref":"#/components/headers/Estimate"}},
                  "content": {"application/json": {"schema": {
                    "type": "object", "required": ["object","input_tokens"],
                    "properties": {"object":{"const":"response.input_tokens"},"input_tokens":{"type":"integer"}}
                  }}}
                },
                "400": {"$ref":"#/components/responses/400"}, "401": {"$ref":"#/components/responses/401"}, "403": {"$ref":"#/components/responses/403"}, "404": {"$ref":"#/components/responses/404"},
                "405": {"$ref":"#/components/responses/405"}, "413": {"$ref":"#/components/responses/413"}, "429": {"$ref":"#/components/responses/429"},
                "503": {"$ref":"#/components/responses/503"}
              }
            }},
            "/v1/responses/{id}": {
              "parameters": [{"$ref":"#/components/parameters/ResponseID"}],
              "get": {
                "operationId": "getResponse", "summary": "A response that is kept", "tags": ["chat"],
                "parameters": [{"name":"stream","in":"query","description":"`true` is refused: nothing is streamed again.","schema":{"not":{"const":"true"}}}],
                "responses": {
                  "200": {"description":"As it was answered.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Response"}}}},
                  "400": {"$ref":"#/components/responses/400"}, "401": {"$ref":"#/components/responses/401"}, "404": {"$ref":"#/components/responses/404"},
                  "405": {"$ref":"#/components/responses/405"}, "429": {"$ref":"#/components/responses/429"}
                }
              },
              "delete": {
                "operationId": "deleteResponse", "summary": "Forgets a response", "tags": ["chat"],
                "description": "A 503 `ledger_unavailable` says that it is gone, but could be there again after a restart of the proxy: ask again.",
                "responses": {
                  "200": {
                    "description": "It is gone.",
                    "content": {"application/json": {"schema": {
                      "type": "object", "required": ["id","object","deleted"],
                      "properties": {"id":{"type":"string"},"object":{"const":"response"},"deleted":{"const":true}}
                    }}}
                  },
                  "401": {"$ref":"#/components/responses/401"}, "404": {"$ref":"#/components/responses/404"}, "405": {"$ref":"#/components/responses/405"},
                  "429": {"$ref":"#/components/responses/429"}, "503": {"$ref":"#/components/responses/503"}
                }
              }
            },
            "/v1/responses/{id}/input_items": {
              "parameters": [{"$ref":"#/components/parameters/ResponseID"}],
              "get": {
                "operationId": "listInputItems", "summary": "What a response was made of", "tags": ["chat"],
                "parameters": [
                  {"name":"limit","in":"query","schema":{"type":"integer","minimum":1,"maximum":100,"default":20}},
                  {"name":"order","in":"query","description":"`asc` for the oldest first; anything else is `desc`.","schema":{"type":"string","default":"desc"}},
                  {"name":"after","in":"query","description":"The id of an item: the page begins behind it.","schema":{"type":"string"}}
                ],
                "responses": {
                  "200": {"description":"A page of items.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/ItemList"}}}},
                  "400": {"$ref":"#/components/responses/400"}, "401": {"$ref":"#/components/responses/401"}, "404": {"$ref":"#/components/responses/404"},
                  "405": {"$ref":"#/components/responses/405"}, "429": {"$ref":"#/components/responses/429"}
                }
              }
            },
            "/v1/responses/{id}/cancel": {
              "parameters": [{"$ref":"#/components/parameters/ResponseID"}],
              "post": {
                "operationId": "cancelResponse", "summary": "Cancels a response in the background",
                "description": "No response runs in the background here: one that was made with `background` is answered as it is, any other is a 400.",
                "tags": ["chat"],
                "responses": {
                  "200": {"description":"As it was answered.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Response"}}}},
                  "400": {"$ref":"#/components/responses/400"}, "401": {"$ref":"#/components/responses/401"}, "404": {"$ref":"#/components/responses/404"},
                  "405": {"$ref":"#/components/responses/405"}, "429": {"$ref":"#/components/responses/429"}
                }
              }
            },
            "/v1/messages": {"post": {
              "operationId": "createMessage", "summary": "Anthropic Messages, streamed or not",
              "description": "`max_tokens` 0 warms a cache elsewhere; here it is answered at once with an empty message. Tools that run at Anthropic are left out beside others; alone they are refused.",
              "tags": ["chat"],
              "requestBody": {
                "required": true,
                "content": {"application/json": {
                  "schema": {"$ref":"#/components/schemas/MessagesRequest"},
                  "examples": {"tool": {"value": {
                    "model": "grok-4", "max_tokens": 200, "stream": true, "system": [{"type":"text","text":"Be brief."}],
                    "messages": [
                      {"role":"user","content":"How warm is it in Oslo?"},
                      {"role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"weather","input":{"city":"Oslo"}}]},
                      {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"3 degrees"}]}
                    ],
                    "tools": [{"name":"weather","input_schema":{"type":"object","properties":{"city":{"type":"string"}}}}], "tool_choice": {"type":"auto"}
                  }}}
                }}
              },
              "responses": {
                "200": {
                  "description": "The answer. A stream ends with `message_stop`; a failure behind the headers is an event `error`, a sign of life an event `ping`.",
                  "headers": {"request-id":{"$ref":"#/components/headers/RequestID"}},
                  "content": {
                    "application/json": {"schema":{"$ref":"#/components/schemas/Message"}}, "text/event-stream": {"schema":{"type":"object","required":["data"],"properties":{"event":{"type":"string"},"data":{"type":"string","contentMediaType":"application/json","contentSchema":{"$ref":"#/components/schemas/MessageEvent"}}}}}
                  }
                },
                "400": {"$ref":"#/components/responses/AnthropicError"}, "401": {"$ref":"#/components/responses/AnthropicError"}, "403": {"$ref":"#/components/responses/AnthropicError"},
                "404": {"$ref":"#/components/responses/AnthropicError"}, "405": {"$ref":"#/components/responses/AnthropicError"},
                "413": {"$ref":"#/components/responses/AnthropicError"}, "429": {"$ref":"#/components/responses/AnthropicError"},
                "502": {"$ref":"#/components/responses/AnthropicError"}, "504": {"$ref":"#/components/responses/AnthropicError"},
                "529": {"$ref":"#/components/responses/AnthropicError"}
              }
            }},
            "/v1/messages/count_tokens": {"post": {
              "operationId": "countMessageTokens", "summary": "Estimate of a message's input tokens", "tags": ["chat"],
              "requestBody": {
                "required": true,
                "content": {"application/json": {
                  "schema": {"$ref":"#/components/schemas/MessagesPrompt"},
                  "examples": {"text":{"value":{"model":"grok-4","messages":[{"role":"user","content":"Say hello."}]}}}
                }}
              },
              "responses": {
                "200": {
                  "description": "An estimate.", "headers": {"x-ociai-estimate":{"$ref":"#/components/headers/Estimate"}},
                  "content": {"application/json":{"schema":{"type":"object","required":["input_tokens"],"properties":{"input_tokens":{"type":"integer"}}}}}
                },
                "400": {"$ref":"#/components/responses/AnthropicError"}, "401": {"$ref":"#/components/responses/AnthropicError"}, "403": {"$ref":"#/components/responses/AnthropicError"},
                "404": {"$ref":"#/components/responses/AnthropicError"}, "405": {"$ref":"#/components/responses/AnthropicError"},
                "413": {"$ref":"#/components/responses/AnthropicError"}, "429": {"$ref":"#/components/responses/AnthropicError"},
                "529": {"$ref":"#/components/responses/AnthropicError"}
              }
            }},
            "/v1/completions": {"post": {
              "operationId": "createCompletion", "summary": "Legacy completion, streamed or not",
              "description": "Each prompt becomes a chat that asks for its continuation, or for what belongs between it and `suffix`. Several prompts of a stream are answered together at the end.",
              "tags": ["chat"],
              "requestBody": {
                "required": true,
                "content": {"application/json": {
                  "schema": {"$ref":"#/components/schemas/CompletionsRequest"},
                  "examples": {"gap":{"value":{"model":"grok-4","prompt":"def add(a, b):\n","suffix":"\nprint(add(1, 2))","stream":true,"stop":["\n\n"]}}}
                }}
              },
              "responses": {
                "200": {
                  "description": "The answer. A stream's events have the same shape; the last is `data: [DONE]`.",
                  "content": {
                    "application/json": {"schema":{"$ref":"#/components/schemas/Completion"}},
                    "text/event-stream": {"schema":{"type":"object","required":["data"],"properties":{"event":{"type":"string"},"data":{"anyOf":[{"const":"[DONE]"},{"type":"string","contentMediaType":"application/json","contentSchema":{"$ref":"#/components/schemas/Completion"}}]}}}}
                  }
                },
                "400": {"$ref":"#/components/responses/400"}, "401": {"$ref":"#/components/responses/401"}, "403": {"$ref":"#/components/responses/403"}, "404": {"$ref":"#/components/responses/404"},
                "405": {"$ref":"#/components/responses/405"}, "413": {"$ref":"#/components/responses/413"}, "429": {"$ref":"#/components/responses/429"},
                "502": {"$ref":"#/components/responses/502"}, "503": {"$ref":"#/components/responses/503"}, "504": {"$ref":"#/components/responses/504"}
              }
            }},
            "/v1/images/{operation}": {"post": {"operationId": "forwardImages", "tags": ["providers"], "summary": "Images of a provider, as they are: generations, edits, variations", "parameters": [{"name": "operation", "in": "path", "required": true, "schema": {"type": "string", "enum": ["generations", "edits", "variations"]}}], "requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object", "required": ["model"], "properties": {"model": {"$ref": "#/components/schemas/ModelName"}}}}, "multipart/form-data": {"schema": {"type": "object", "required": ["model"], "properties": {"model": {"$ref": "#/components/schemas/ModelName"}}}}}}, "responses": {"200": {"description": "what the provider answers", "content": {"*/*": {}}}, "default": {"description": "an error", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}}}},
            "/v1/audio/{operation}": {"post": {"operationId": "forwardAudio", "tags": ["providers"], "summary": "Audio of a provider, as it is: speech, transcriptions, translations", "parameters": [{"name": "operation", "in": "path", "required": true, "schema": {"type": "string", "enum": ["speech", "transcriptions", "translations"]}}], "requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object", "required": ["model"], "properties": {"model": {"$ref": "#/components/schemas/ModelName"}}}}, "multipart/form-data": {"schema": {"type": "object", "required": ["model"], "properties": {"model": {"$ref": "#/components/schemas/ModelName"}}}}}}, "responses": {"200": {"description": "what the provider answers", "content": {"*/*": {}}}, "default": {"description": "an error", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}}}},
            "/v1/moderations": {"post": {"operationId": "forwardModerations", "tags": ["providers"], "summary": "Moderations of a provider, as they are", "requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object", "required": ["model"], "properties": {"model": {"$ref": "#/components/schemas/ModelName"}}}}}}, "responses": {"200": {"description": "what the provider answers", "content": {"*/*": {}}}, "default": {"description": "an error", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}}}},
            "/v1/embeddings": {"post": {
              "operationId": "createEmbeddings", "summary": "Vectors of texts", "tags": ["texts"],
              "requestBody": {
                "required": true,
                "content": {"application/json": {
                  "schema": {"$ref":"#/components/schemas/EmbeddingsRequest"},
                  "examples": {"several": {"value": {
                    "model": "cohere.embed-v4.0", "input": ["A text.","Another."], "encoding_format": "base64", "dimensions": 512, "input_type": "query"
                  }}}
                }}
              },
              "responses": {
                "200": {
                  "description": "One vector for each text, in their order.", "content": {"application/json":{"schema":{"$ref":"#/components/schemas/EmbeddingList"}}}
                },
                "400": {"$ref":"#/components/responses/400"}, "401": {"$ref":"#/components/responses/401"}, "403": {"$ref":"#/components/responses/403"}, "404": {"$ref":"#/components/responses/404"},
                "405": {"$ref":"#/components/responses/405"}, "413": {"$ref":"#/components/responses/413"}, "429": {"$ref":"#/components/responses/429"},
                "502": {"$ref":"#/components/responses/502"}, "503": {"$ref":"#/components/responses/503"}, "504": {"$ref":"#/components/responses/504"}
              }
            }},
            "/v1/rerank": {"post": {
              "operationId": "rerank", "summary": "Which documents belong to a query", "tags": ["texts"],
              "requestBody": {
                "required": true,
                "content": {"application/json": {
                  "schema": {"$ref":"#/components/schemas/RerankRequest"},
                  "examples": {
                    "texts": {"value":{"model":"cohere.rerank.v3-5","query":"capital of Norway","documents":["Oslo","Bergen"],"top_n":1}},
                    "objects": {"value": {
                      "model": "cohere.rerank.v3-5", "query": "capital of Norway", "documents": [{"title":"Oslo","body":"The capital."},"Bergen"],
                      "rank_fields": ["title","body"], "return_documents": false
                    }}
                  }
                }}
              },
              "responses": {
                "200": {"description":"The best first.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/RerankAnswer"}}}},
                "400": {"$ref":"#/components/responses/400"}, "401": {"$ref":"#/components/responses/401"}, "403": {"$ref":"#/components/responses/403"}, "404": {"$ref":"#/components/responses/404"},
                "405": {"$ref":"#/components/responses/405"}, "413": {"$ref":"#/components/responses/413"}, "429": {"$ref":"#/components/responses/429"},
                "502": {"$ref":"#/components/responses/502"}, "503": {"$ref":"#/components/responses/503"}, "504": {"$ref":"#/components/responses/504"}
              }
            }},
            "/v1/models": {"get": {
              "operationId": "listModels", "summary": "Models that can be asked",
              "description": "Starts a discovery when the last one is older than `models_refresh_interval`, and waits at most 3 s for it. The parameters count for requests with `anthropic-version` only.",
              "tags": ["models"], "security": [{},{"bearer":[]},{"xApiKey":[]},{"apiKey":[]}],
              "parameters": [
                {"$ref":"#/components/parameters/AnthropicVersion"},
                {"name":"limit","in":"query","description":"From 1 to 1000; 20 when it is absent.","schema":{"type":"string"}},
                {"name":"after_id","in":"query","schema":{"type":"string"}},
                {"name":"before_id","in":"query","schema":{"type":"string"}}
              ],
              "responses": {
                "200": {
                  "description": "The list, in Anthropic's shape when asked with `anthropic-version`.",
                  "content": {"application/json":{"schema":{"anyOf":[{"$ref":"#/components/schemas/ModelList"},{"$ref":"#/components/schemas/AnthropicModelList"}]}}}
                },
                "400": {"$ref":"#/components/responses/AnthropicError","description":"`limit` is out of its range."},
                "401": {"$ref":"#/components/responses/EitherError"}, "405": {"$ref":"#/components/responses/EitherError"}
              }
            }},
            "/v1/models/{id}": {"get": {
              "operationId": "getModel", "summary": "One model", "tags": ["models"], "security": [{},{"bearer":[]},{"xApiKey":[]},{"apiKey":[]}],
              "parameters": [
                {
                  "name": "id", "in": "path", "required": true,
                  "description": "An alias, a discovered name, an OCI id or `provider/model`; slashes as they are, or as %2F.", "schema": {"type":"string"}
                },
                {"$ref":"#/components/parameters/AnthropicVersion"}
              ],
              "responses": {
                "200": {
                  "description": "The model, in Anthropic's shape when asked with `anthropic-version`.",
                  "content": {"application/json":{"schema":{"anyOf":[{"$ref":"#/components/schemas/Model"},{"$ref":"#/components/schemas/AnthropicModel"}]}}}
                },
                "401": {"$ref":"#/components/responses/EitherError"}, "403": {"$ref":"#/components/responses/EitherError"}, "404": {"$ref":"#/components/responses/EitherError"}, "405": {"$ref":"#/components/responses/EitherError"}
              }
            }},
            "/v1/usage": {"get": {
              "operationId": "getUsage", "summary": "What the caller's own key has used and may still use", "tags": ["keys"],
              "description": "By the counter that decides about requests. It costs a request of the key's minute.",
              "responses": {
                "200": {"description":"One moment.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/KeyUsage"}}}},
                "401": {"$ref":"#/components/responses/401"}, "405": {"$ref":"#/components/responses/405"}, "429": {"$ref":"#/components/responses/429"}
              }
            }},
            "/test-oci": {"get": {
              "operationId": "testOCI", "summary": "One signed call per account, side by side", "tags": ["operator"],
              "security": [{},{"bearer":[]},{"xApiKey":[]},{"apiKey":[]}],
              "responses": {
                "200": {"description":"All or some accounts answer.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/TestReport"}}}},
                "401": {"$ref":"#/components/responses/401"}, "403": {"$ref":"#/components/responses/403"}, "405": {"$ref":"#/components/responses/405"}, "429": {"$ref":"#/components/responses/429"},
                "503": {"description":"None does.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/TestReport"}}}}
              }
            }},
            "/stats/accounts": {"get": {
              "operationId": "getAccountStatistics", "summary": "Each account and provider in figures", "tags": ["operator"],
              "security": [{},{"bearer":[]},{"xApiKey":[]},{"apiKey":[]}],
              "responses": {
                "200": {"description":"One moment.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/AccountStatistics"}}}},
                "401": {"$ref":"#/components/responses/401"}, "403": {"$ref":"#/components/responses/403"}, "405": {"$ref":"#/components/responses/405"}
              }
            }},
            "/stats/concurrency": {"get": {
              "operationId": "getConcurrency", "summary": "Requests in flight", "tags": ["operator"], "security": [{},{"bearer":[]},{"xApiKey":[]},{"apiKey":[]}],
              "responses": {
                "200": {"description":"One moment.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/ConcurrencyStatistics"}}}},
                "401": {"$ref":"#/components/responses/401"}, "403": {"$ref":"#/components/responses/403"}, "405": {"$ref":"#/components/responses/405"}
              }
            }},
            "/stats/circuit-breaker": {"get": {
              "operationId": "getBreakers", "summary": "Circuit breakers", "tags": ["operator"], "security": [{},{"bearer":[]},{"xApiKey":[]},{"apiKey":[]}],
              "responses": {
                "200": {"description":"One moment.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/BreakerStatistics"}}}},
                "401": {"$ref":"#/components/responses/401"}, "403": {"$ref":"#/components/responses/403"}, "405": {"$ref":"#/components/responses/405"}
              }
            }},
            "/stats/queue": {"get": {
              "operationId": "getQueue", "summary": "The line of waiting requests", "tags": ["operator"], "security": [{},{"bearer":[]},{"xApiKey":[]},{"apiKey":[]}],
              "responses": {
                "200": {"description":"One moment.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/QueueStatistics"}}}},
                "401": {"$ref":"#/components/responses/401"}, "403": {"$ref":"#/components/responses/403"}, "405": {"$ref":"#/components/responses/405"}
              }
            }},
            "/metrics": {"get": {
              "operationId": "getMetrics", "summary": "Figures for Prometheus", "tags": ["operator"], "security": [{},{"bearer":[]},{"xApiKey":[]},{"apiKey":[]}],
              "responses": {
                "200": {"description":"Text format 0.0.4.","content":{"text/plain":{"schema":{"type":"string"}}}}, "401": {"$ref":"#/components/responses/401"}, "403": {"$ref":"#/components/responses/403"},
                "405": {"$ref":"#/components/responses/405"}
              }
            }},
            "/admin/circuit-breaker/reset": {"post": {
              "operationId": "resetBreakers", "summary": "Closes breakers and ends cooldowns",
              "description": "Of all accounts and models, or of those that are named. Any other parameter, a repeated or an empty one is a 400.",
              "tags": ["operator"], "security": [{},{"bearer":[]},{"xApiKey":[]},{"apiKey":[]}],
              "parameters": [
                {"name":"account","in":"query","description":"An account's id.","schema":{"type":"string","minLength":1}},
                {"name":"model","in":"query","description":"As clients name it, or its id at the upstreams.","schema":{"type":"string","minLength":1}}
              ],
              "responses": {
                "200": {
                  "description": "Those that were reset.",
                  "content": {"application/json":{"schema":{"type":"object","required":["reset"],"properties":{"reset":{"type":"array","items":{"type":"string"}}}}}}
                },
                "400": {"$ref":"#/components/responses/400"}, "401": {"$ref":"#/components/responses/401"}, "403": {"$ref":"#/components/responses/403"}, "404": {"$ref":"#/components/responses/404"},
                "405": {"$ref":"#/components/responses/405"}
              }
            }},
            "/admin/models/refresh": {"post": {
              "operationId": "refreshModels", "summary": "Discovers models now", "tags": ["operator"],
              "responses": {
                "200": {"description":"What has changed.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/RefreshReport"}}}},
                "401": {"$ref":"#/components/responses/401"}, "405": {"$ref":"#/components/responses/405"}, "429": {"$ref":"#/components/responses/429"},
                "503": {"$ref":"#/components/responses/503"}
              }
            }},
            "/dashboard": {"get": {
              "operationId": "getDashboard", "summary": "The operator's page", "tags": ["dashboard"], "security": [],
              "description": "The page holds nothing of anybody's, so it needs no key; what it asks for does.",
              "parameters": [{"$ref":"#/components/parameters/IfNoneMatch"}],
              "responses": {
                "200": {"description":"The page.","headers":{"etag":{"schema":{"type":"string"}}},"content":{"text/html":{"schema":{"type":"string"}}}},
                "304": {"description":"It is the one that the client has."},
                "405": {"$ref":"#/components/responses/405"}
              }
            }},
            "/dashboard/{file}": {"get": {
              "operationId": "getDashboardFile", "summary": "A file of the operator's page", "tags": ["dashboard"], "security": [],
              "parameters": [
                {"name":"file","in":"path","required":true,"description":"As the page names it.","schema":{"type":"string"}},
                {"$ref":"#/components/parameters/IfNoneMatch"}
              ],
              "responses": {
                "200": {
                  "description": "The file.", "headers": {"etag":{"schema":{"type":"string"}}},
                  "content": {
                    "text/html": {"schema":{"type":"string"}}, "text/css": {"schema":{"type":"string"}}, "text/javascript": {"schema":{"type":"string"}},
                    "image/svg+xml": {"schema":{"type":"string"}}
                  }
                },
                "304": {"description":"It is the one that the client has."},
                "404": {"$ref":"#/components/responses/404"}, "405": {"$ref":"#/components/responses/405"}
              }
            }},
            "/dashboard/login": {
              "post": {
                "operationId": "signIn", "summary": "Shows a viewer's or an administrator's key, and gets a cookie for it", "tags": ["dashboard"], "security": [],
                "description": "The cookie lasts 12 hours, or as long as the key works. Over TLS it is called `__Host-ociai`, else `ociai`. It is taken in place of a key wherever `{}` is among an operation's `security`; what changes something then needs the header `x-ociai-dashboard: 1` as well. A page of another site is a 403.",
                "requestBody": {
                  "required": true,
                  "content": {"application/json": {
                    "schema": {"type":"object","required":["key"],"properties":{"key":{"type":"string","minLength":1}}},
                    "examples": {"key":{"value":{"key":"A_LONG_RANDOM_KEY"}}}
                  }}
                },
                "responses": {
                  "200": {
                    "description": "Who has signed in.", "headers": {"set-cookie":{"schema":{"type":"string"}}},
                    "content": {"application/json":{"schema":{"$ref":"#/components/schemas/OperatorSession"}}}
                  },
                  "400": {"$ref":"#/components/responses/400"}, "401": {"$ref":"#/components/responses/401"}, "403": {"$ref":"#/components/responses/403"},
                  "405": {"$ref":"#/components/responses/405"}, "413": {"$ref":"#/components/responses/413"}
                }
              },
              "delete": {
                "operationId": "signOut", "summary": "Ends the session of the cookie that comes with it", "tags": ["dashboard"], "security": [],
                "parameters": [{"name":"x-ociai-dashboard","in":"header","description":"Without `1` it is a 403.","schema":{"type":"string"}}],
                "responses": {
                  "204": {"description":"It is over, if there was one; the cookie is taken away.","headers":{"set-cookie":{"schema":{"type":"string"}}}},
                  "403": {"$ref":"#/components/responses/403"}, "405": {"$ref":"#/components/responses/405"}
                }
              }
            },
            "/dashboard/session": {"get": {
              "operationId": "getSession", "summary": "Who has signed in", "tags": ["dashboard"],
              "security": [{},{"bearer":[]},{"xApiKey":[]},{"apiKey":[]}],
              "responses": {
                "200": {"description":"One moment.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/OperatorSession"}}}},
                "401": {"$ref":"#/components/responses/401"}, "403": {"$ref":"#/components/responses/403"}, "405": {"$ref":"#/components/responses/405"}
              }
            }},
            "/dashboard/state": {"get": {
              "operationId": "getDashboardState", "summary": "What the page shows of one moment", "tags": ["dashboard"],
              "description": "Made anew once a second at most.",
              "security": [{},{"bearer":[]},{"xApiKey":[]},{"apiKey":[]}],
              "responses": {
                "200": {"description":"One moment.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/DashboardState"}}}},
                "401": {"$ref":"#/components/responses/401"}, "403": {"$ref":"#/components/responses/403"}, "405": {"$ref":"#/components/responses/405"}
              }
            }},
            "/dashboard/events": {"get": {
              "operationId": "watchDashboard", "summary": "The state, and then what changes in it", "tags": ["dashboard"],
              "description": "The first event is `state`. At most once a second an event `change` follows with the members that have changed, each whole; of `upstreams` it has those elements alone that have changed, and `upstreams_gone` has the ids of those that are no more. It does not end by itself. 20 viewers at once.",
              "security": [{},{"bearer":[]},{"xApiKey":[]},{"apiKey":[]}],
              "responses": {
                "200": {
                  "description": "Lines that begin with `:` are signs of life.",
                  "content": {"text/event-stream": {"schema":{"type":"object","required":["data"],"properties":{"event":{"enum":["state","change"]},"data":{"type":"string","contentMediaType":"application/json"}}}}}
                },
                "401": {"$ref":"#/components/responses/401"}, "403": {"$ref":"#/components/responses/403"}, "405": {"$ref":"#/components/responses/405"},
                "503": {"$ref":"#/components/responses/503","description":"So many watch already (`too_many_viewers`), or the proxy stops."}
              }
            }},
            "/dashboard/strips": {"get": {
              "operationId": "getHealthStrips", "summary": "How each upstream was in each minute of the last 24 hours", "tags": ["dashboard"],
              "security": [{},{"bearer":[]},{"xApiKey":[]},{"apiKey":[]}],
              "responses": {
                "200": {"description":"One moment.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/HealthStrips"}}}},
                "401": {"$ref":"#/components/responses/401"}, "403": {"$ref":"#/components/responses/403"}, "405": {"$ref":"#/components/responses/405"}
              }
            }},
            "/dashboard/models": {"get": {
              "operationId": "getDashboardModels", "summary": "Who serves each model, what it costs, and until when it is there", "tags": ["dashboard"],
              "security": [{},{"bearer":[]},{"xApiKey":[]},{"apiKey":[]}],
              "responses": {
                "200": {"description":"One moment.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/DashboardModels"}}}},
                "401": {"$ref":"#/components/responses/401"}, "403": {"$ref":"#/components/responses/403"}, "405": {"$ref":"#/components/responses/405"}
              }
            }},
            "/dashboard/usage": {"get": {
              "operationId": "getDashboardUsage", "summary": "How all keys stand with their budgets", "tags": ["dashboard"],
              "description": "Those of the configuration file first, then the managed ones.",
              "security": [{},{"bearer":[]},{"xApiKey":[]},{"apiKey":[]}],
              "responses": {
                "200": {"description":"One moment.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/DashboardUsage"}}}},
                "401": {"$ref":"#/components/responses/401"}, "403": {"$ref":"#/components/responses/403"}, "405": {"$ref":"#/components/responses/405"}
              }
            }},
            "/why/{request-id}": {"get": {
              "operationId": "explainRequest", "summary": "Why a request went where it went, and what became of it", "tags": ["keys"],
              "description": "Of a request with a key to a model endpoint: running, or one of the last 10000, or in the ledger. Of several with one id the newest.",
              "security": [{},{"bearer":[]},{"xApiKey":[]},{"apiKey":[]}],
              "parameters": [
                {
                  "name": "request-id", "in": "path", "required": true, "description": "The answer's `x-request-id`; slashes as they are, or as %2F.", "schema": {"type":"string"}
                }
              ],
              "responses": {
                "200": {"description":"Its story.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/RequestStory"}}}},
                "401": {"$ref":"#/components/responses/401"}, "403": {"$ref":"#/components/responses/403"}, "404": {"$ref":"#/components/responses/404"}, "405": {"$ref":"#/components/responses/405"},
                "503": {"$ref":"#/components/responses/503"}
              }
            }},
            "/admin/keys": {
              "get": {
                "operationId": "listKeys", "summary": "All keys and what each may do; never a key itself", "tags": ["keys"],
                "description": "Those of the configuration file first, then the managed ones by name, revoked ones too.",
                "security": [{},{"bearer":[]},{"xApiKey":[]},{"apiKey":[]}],
                "responses": {
                  "200": {
                    "description": "The list.",
                    "content": {"application/json": {"schema": {
                      "type": "object", "required": ["object","data"],
                      "properties": {"object":{"const":"list"},"data":{"type":"array","items":{"$ref":"#/components/schemas/ClientKey"}}}
                    }}}
                  },
                  "401": {"$ref":"#/components/responses/401"}, "403": {"$ref":"#/components/responses/403"}, "405": {"$ref":"#/components/responses/405"}
                }
              },
              "post": {
                "operationId": "createKey", "summary": "Makes a managed key, which is shown in this answer only", "tags": ["keys"],
                "description": "It works at once, and after a restart.", "security": [{},{"bearer":[]},{"xApiKey":[]},{"apiKey":[]}],
                "requestBody": {
                  "required": true,
                  "content": {"application/json": {
                    "schema": {"$ref":"#/components/schemas/KeyOrder"},
                    "examples": {
                      "name": {"value":{"name":"ci"}},
                      "limits": {"value":{"name":"team-a","models":["^grok"],"rpm":60,"tpm":90000,"budget_hard":"5 USD per day, 100 USD per month","expires":"2099-01-31"}}
                    }
                  }}
                },
                "responses": {
                  "201": {"description":"The key.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/ShownKey"}}}},
                  "400": {"$ref":"#/components/responses/400"}, "401": {"$ref":"#/components/responses/401"}, "403": {"$ref":"#/components/responses/403"},
                  "405": {"$ref":"#/components/responses/405"}, "409": {"$ref":"#/components/responses/409"}, "413": {"$ref":"#/components/responses/413"},
                  "503": {"$ref":"#/components/responses/503"}
                }
              }
            },
            "/admin/keys/{name}": {
              "parameters": [{"$ref":"#/components/parameters/KeyName"}],
              "get": {
                "operationId": "getKey", "summary": "What one key may do", "tags": ["keys"], "security": [{},{"bearer":[]},{"xApiKey":[]},{"apiKey":[]}],
                "responses": {
                  "200": {"description":"The key, but for itself.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/ClientKey"}}}},
                  "401": {"$ref":"#/components/responses/401"}, "403": {"$ref":"#/components/responses/403"}, "404": {"$ref":"#/components/responses/404"},
                  "405": {"$ref":"#/components/responses/405"}
                }
              },
              "delete": {
                "operationId": "revokeKey", "summary": "Takes a managed key back", "tags": ["keys"],
                "description": "It works no more, and neither do those that it has replaced. Its name stays taken, and what it has used stays in the ledger.",
                "security": [{},{"bearer":[]},{"xApiKey":[]},{"apiKey":[]}],
                "responses": {
                  "200": {"description":"It is revoked.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/ClientKey"}}}},
                  "401": {"$ref":"#/components/responses/401"}, "403": {"$ref":"#/components/responses/403"}, "404": {"$ref":"#/components/responses/404"},
                  "405": {"$ref":"#/components/responses/405"}, "409": {"$ref":"#/components/responses/409"}, "503": {"$ref":"#/components/responses/503"}
                }
              }
            },
            "/admin/keys/{name}/history": {
              "parameters": [{"$ref":"#/components/parameters/KeyName"}],
              "get": {
                "operationId": "getKeyHistory", "summary": "Who has made, rotated and revoked a managed key, and when", "tags": ["keys"],
                "description": "The last 1000 changes, in the order of time. The name `*` stands for all keys.",
                "security": [{},{"bearer":[]},{"xApiKey":[]},{"apiKey":[]}],
                "responses": {
                  "200": {
                    "description": "The changes.",
                    "content": {"application/json": {"schema": {
                      "type": "object", "required": ["object","data"],
                      "properties": {
                        "object": {"const":"list"},
                        "data": {"type": "array", "items": {
                          "type": "object", "required": ["at","key","action","by"],
                          "properties": {
                            "at": {"$ref":"#/components/schemas/Instant"}, "key": {"type":"string"}, "action": {"enum":["create","rotate","revoke"]},
                            "by": {"type":"string","description":"The name of an administrator's key, `local operator`, or `command line`."}
                          }
                        }}
                      }
                    }}}
                  },
                  "401": {"$ref":"#/components/responses/401"}, "403": {"$ref":"#/components/responses/403"}, "404": {"$ref":"#/components/responses/404"},
                  "405": {"$ref":"#/components/responses/405"}, "503": {"$ref":"#/components/responses/503"}
                }
              }
            },
            "/admin/keys/{name}/rotate": {
              "parameters": [{"$ref":"#/components/parameters/KeyName"}],
              "post": {
                "operationId": "rotateKey", "summary": "Makes another key under the same name", "tags": ["keys"],
                "description": "The one before works on for `grace`.", "security": [{},{"bearer":[]},{"xApiKey":[]},{"apiKey":[]}],
                "requestBody": {
                  "content": {"application/json": {
                    "schema": {
                      "type": "object",
                      "properties": {"grace": {
                        "type": ["string","integer","null"], "minimum": 0, "maximum": 31536000, "default": "24h",
                        "description": "A duration such as `1h`, `1h30m` or `30d`, or seconds; `365d` at most. 0: the one before ends now."
                      }}
                    },
                    "examples": {"hour":{"value":{"grace":"1h"}}}
                  }}
                },
                "responses": {
                  "200": {"description":"The new key.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/ShownKey"}}}},
                  "400": {"$ref":"#/components/responses/400"}, "401": {"$ref":"#/components/responses/401"}, "403": {"$ref":"#/components/responses/403"},
                  "404": {"$ref":"#/components/responses/404"}, "405": {"$ref":"#/components/responses/405"}, "409": {"$ref":"#/components/responses/409"},
                  "413": {"$ref":"#/components/responses/413"}, "503": {"$ref":"#/components/responses/503"}
                }
              }
            },
            "/admin/ledger/requests": {"get": {
              "operationId": "listLedgerRequests", "summary": "Single requests of the ledger, the newest first", "tags": ["keys"],
              "description": "A page at a time: `next` goes on as `before`. A page may have fewer rows than `limit`, or none, and a `next` all the same: then there is more to look through. Any other parameter is a 400.",
              "security": [{},{"bearer":[]},{"xApiKey":[]},{"apiKey":[]}],
              "parameters": [
                {"$ref":"#/components/parameters/From"}, {"$ref":"#/components/parameters/To"},
                {"name":"key","in":"query","description":"The name of a key.","schema":{"type":"string","minLength":1}},
                {"name":"model","in":"query","description":"As the client named it, or the one that answered.","schema":{"type":"string","minLength":1}},
                {"name":"upstream","in":"query","description":"Who answered, or was asked last.","schema":{"type":"string","minLength":1}},
                {
                  "name": "status", "in": "query", "description": "`ok`, `failed`, or a status from 100 to 599.",
                  "schema": {"type":"string","pattern":"^(ok|failed|[1-5][0-9]{2})$"}
                },
                {"name":"limit","in":"query","schema":{"type":"integer","minimum":1,"maximum":1000,"default":100}},
                {"name":"before","in":"query","description":"`next` of another page.","schema":{"type":"string","pattern":"^[1-9][0-9]{0,17}$"}}
              ],
              "responses": {
                "200": {"description":"A page.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/LedgerRequests"}}}},
                "400": {"$ref":"#/components/responses/400"}, "401": {"$ref":"#/components/responses/401"}, "403": {"$ref":"#/components/responses/403"}, "405": {"$ref":"#/components/responses/405"},
                "503": {"$ref":"#/components/responses/503"}
              }
            }},
            "/admin/ledger/{table}": {"get": {
              "operationId": "getLedgerTable", "summary": "What has been written down about requests, added up", "tags": ["keys"],
              "description": "Whole days (in UTC) are answered from their sums, which stay; parts of days and `failures` from rows, which go after `ledger_retention`. Any other parameter is a 400.",
              "security": [{},{"bearer":[]},{"xApiKey":[]},{"apiKey":[]}],
              "parameters": [
                {
                  "name": "table", "in": "path", "required": true, "description": "`accounts` are accounts and providers.",
                  "schema": {"enum":["summary","days","keys","models","accounts","failures"]}
                },
                {"$ref":"#/components/parameters/From"}, {"$ref":"#/components/parameters/To"},
                {"name":"key","in":"query","description":"The name of a key: its requests alone.","schema":{"type":"string","minLength":1}}
              ],
              "responses": {
                "200": {"description":"The table.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/LedgerTable"}}}},
                "400": {"$ref":"#/components/responses/400"}, "401": {"$ref":"#/components/responses/401"}, "403": {"$ref":"#/components/responses/403"},
                "404": {"$ref":"#/components/responses/404"}, "405": {"$ref":"#/components/responses/405"}, "503": {"$ref":"#/components/responses/503"}
              }
            }},
            "/admin/ledger/export": {"get": {
              "operationId": "exportLedger", "summary": "The rows of the ledger, in the order of time", "tags": ["keys"],
              "description": "Streamed. A connection that ends before the last chunk means that rows are missing. Any other parameter is a 400.",
              "security": [{},{"bearer":[]},{"xApiKey":[]},{"apiKey":[]}],
              "parameters": [
                {"$ref":"#/components/parameters/From"}, {"$ref":"#/components/parameters/To"},
                {"name":"format","in":"query","description":"In any case.","schema":{"enum":["csv","jsonl"],"default":"jsonl"}},
                {
                  "name": "level", "in": "query", "description": "A line for each request, for each call to an upstream, or for each day, key, upstream and model; in any case.",
                  "schema": {"enum":["request","attempt","day"],"default":"request"}
                }
              ],
              "responses": {
                "200": {
                  "description": "Lines; in CSV the first has the names.",
                  "content": {"application/x-ndjson":{"schema":{}},"text/csv":{"schema":{"type":"string"}}}
                },
                "400": {"$ref":"#/components/responses/400"}, "401": {"$ref":"#/components/responses/401"}, "403": {"$ref":"#/components/responses/403"},
                "405": {"$ref":"#/components/responses/405"}, "503": {"$ref":"#/components/responses/503"}
              }
            }},
            "/admin/ledger/reprice": {"post": {
              "operationId": "repriceLedger", "summary": "Works out the costs in the ledger anew, by the prices of the moment", "tags": ["keys"],
              "description": "Those of calls since a moment, of their requests, and of the sums of their days. What budgets have counted stays. A call whose model has no price any more costs `null`. It takes as long as there are rows, and ends when the client leaves; what has been worked out by then stays.",
              "security": [{},{"bearer":[]},{"xApiKey":[]},{"apiKey":[]}],
              "requestBody": {
                "required": true,
                "content": {"application/json": {
                  "schema": {"type":"object","required":["since"],"properties":{"since":{"$ref":"#/components/schemas/MomentText"}}},
                  "examples": {"month":{"value":{"since":"2026-11-01"}}}
                }}
              },
              "responses": {
                "200": {
                  "description": "All of it is done.",
                  "content": {"application/json": {"schema": {
                    "type": "object", "required": ["object","since","changed"],
                    "properties": {
                      "object": {"const":"ledger.reprice"}, "since": {"$ref":"#/components/schemas/Instant"},
                      "changed": {"type":"integer","minimum":0,"description":"Calls that have another cost than before."}
                    }
                  }}}
                },
                "400": {"$ref":"#/components/responses/400"}, "401": {"$ref":"#/components/responses/401"}, "403": {"$ref":"#/components/responses/403"},
                "405": {"$ref":"#/components/responses/405"}, "409": {"$ref":"#/components/responses/409"}, "413": {"$ref":"#/components/responses/413"},
                "503": {"$ref":"#/components/responses/503"}
              }
            }},
            "/v1/reload": {"post": {
              "operationId": "reload", "summary": "Reads the configuration again", "tags": ["operator"], "security": [{},{"bearer":[]},{"xApiKey":[]},{"apiKey":[]}],
              "responses": {
                "200": {
                  "description": "It is in use.",
                  "content": {"application/json": {"schema": {
                    "type": "object", "required": ["message","providers_count","accounts_count"],
                    "properties": {"message":{"type":"string"},"providers_count":{"type":"integer"},"accounts_count":{"type":"integer"}}
                  }}}
                },
                "400": {"$ref":"#/components/responses/400"}, "401": {"$ref":"#/components/responses/401"}, "403": {"$ref":"#/components/responses/403"}, "405": {"$ref":"#/components/responses/405"},
                "429": {"$ref":"#/components/responses/429"}, "503": {"$ref":"#/components/responses/503"}
              }
            }}
          },
          "components": {
            "securitySchemes": {
              "bearer": {
                "type": "http", "scheme": "bearer",
                "description": "A key of the configuration, or a managed one. Endpoints that list `{}` beside the schemes are open to the operator on the machine itself as well, while `local_access` is on."
              },
              "xApiKey": {"type":"apiKey","in":"header","name":"x-api-key"}, "apiKey": {"type":"apiKey","in":"header","name":"api-key"}
            },
            "parameters": {
              "ResponseID": {"name":"id","in":"path","required":true,"description":"Of a response that was made with the same key.","schema":{"type":"string"}},
              "KeyName": {
                "name": "name", "in": "path", "required": true, "description": "The name of a key.", "schema": {"type":"string","minLength":1}
              },
              "From": {
                "name": "from", "in": "query", "description": "From this moment on; without it, 30 days before `to`.", "schema": {"$ref":"#/components/schemas/MomentText"}
              },
              "To": {
                "name": "to", "in": "query", "description": "Before this moment; without it, now. Not before `from`.",
                "schema": {"$ref":"#/components/schemas/MomentText"}
              },
              "IfNoneMatch": {"name":"if-none-match","in":"header","schema":{"type":"string"}},
              "AnthropicVersion": {
                "name": "anthropic-version", "in": "header", "description": "Whatever it says, the answer has Anthropic's shape.", "schema": {"type":"string"}
              }
            },
            "headers": {
              "RequestID": {
                "description": "The client's own `x-request-id` if that is at most 128 visible ASCII characters, else a new one.", "schema": {"type":"string"}
              },
              "RetryAfter": {"description":"Seconds.","schema":{"type":"integer"}},
              "ShouldRetry": {"description":"`false` where the client's own retry mends nothing.","schema":{"const":"false"}},
              "Estimate": {"description":"`true`: no upstream has counted.","schema":{"const":"true"}}
            },
            "responses": {
              "400": {
                "description": "The body is no JSON, a member has the wrong type or value, or the model does not take it; `param` says which.",
                "headers": {"x-should-retry":{"$ref":"#/components/headers/ShouldRetry"}},
                "content": {"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}
              },
              "401": {
                "description": "No key, a wrong one, or one that has expired.",
                "headers": {"www-authenticate":{"schema":{"const":"Bearer"}},"x-should-retry":{"$ref":"#/components/headers/ShouldRetry"}},
                "content": {"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}
              },
              "403": {
                "description": "The role of the key is too small, or a request with a dashboard's cookie lacks its header (`permission_denied`) or comes from a web page of another address (`foreign_page`); or the key may not use the model (`model_not_allowed`).",
                "headers": {"x-should-retry":{"$ref":"#/components/headers/ShouldRetry"}},
                "content": {"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}
              },
              "404": {
                "description": "There is no such model, account, response, item, key, table, request or file.", "content": {"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}
              },
              "405": {
                "description": "The path is served under other methods only.", "headers": {"allow":{"schema":{"type":"string"}}},
                "content": {"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}
              },
              "409": {
                "description": "There is such a key already, it is in the configuration file, it has been revoked or has expired, or another request changes it at present.",
                "headers": {"x-should-retry":{"$ref":"#/components/headers/ShouldRetry"}},
                "content": {"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}
              },
              "413": {"description":"The body is larger than it may be.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},
              "429": {
                "description": "The key has reached a limit or spent a budget (`budget_exceeded`), or all upstreams are throttled.",
                "headers": {"retry-after":{"$ref":"#/components/headers/RetryAfter"},"x-should-retry":{"$ref":"#/components/headers/ShouldRetry"}},
                "content": {"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}
              },
              "502": {
                "description": "The upstream cannot be reached, fails, or answers nonsense.", "headers": {"x-should-retry":{"$ref":"#/components/headers/ShouldRetry"}},
                "content": {"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}
              },
              "503": {
                "description": "No upstream is available, no place is free in the line or in memory, the ledger is off or does not answer (`ledger_unavailable`), or the proxy stops.",
                "headers": {"retry-after":{"$ref":"#/components/headers/RetryAfter"}}, "content": {"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}
              },
              "504": {"description":"The upstream took too long.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},
              "EitherError": {
                "description": "In OpenAI's shape, or in Anthropic's when asked with `anthropic-version`.", "headers": {"allow":{"description":"With 405.","schema":{"type":"string"}}},
                "content": {"application/json":{"schema":{"anyOf":[{"$ref":"#/components/schemas/Error"},{"$ref":"#/components/schemas/AnthropicError"}]}}}
              },
              "AnthropicError": {
                "description": "In Anthropic's shape; 529 where OpenAI's dialects have 503.", "headers": {"request-id":{"$ref":"#/components/headers/RequestID"}},
                "content": {"application/json":{"schema":{"$ref":"#/components/schemas/AnthropicError"}}}
              }
            },
            "schemas": {
              "ModelName": {
                "type": "string", "minLength": 1, "maxLength": 256, "pattern": "\\S",
                "description": "At most 256 bytes in UTF-8, not only white space. An alias, a discovered name, an OCI id or OCID, or `provider/model`."
              },
              "MediaURL": {
                "type": "string", "pattern": "^(https?://|data:[a-z0-9+._-]+/[a-z0-9+._-]+(;[^,]*)?;base64,.)",
                "description": "A web address or a data URI in base64, also in upper case. The head of a data URI has less than 256 bytes."
              },
              "ImageURL": {
                "type": "string", "pattern": "^(https?://|data:(image/(png|jpe?g|webp|gif)|application/pdf)(;[^,]*)?;base64,.)",
                "description": "A `MediaURL` whose data is a png, jpeg, webp or gif image, or a PDF."
              },
              "ChatRequest": {
                "type": "object", "required": ["model","messages"],
                "properties": {
                  "model": {"$ref":"#/components/schemas/ModelName"},
                  "messages": {
                    "type": "array", "minItems": 1, "maxItems": 50000, "items": {"$ref":"#/components/schemas/ChatMessage"},
                    "description": "With at most 50000 parts in all."
                  },
                  "stream": {"type":["boolean","null"]}, "stream_options": {"properties":{"include_usage":{"description":"true: the last chunk tells the usage."}}},
                  "max_tokens": {"type":["integer","null"],"description":"Below 1: no limit. `max_completion_tokens` wins."},
                  "max_completion_tokens": {"type":["integer","null"]}, "top_k": {"type":["integer","null"]}, "logprobs": {"type":["boolean","null"]},
                  "top_logprobs": {"description":"Read only where `logprobs` is true."}, "parallel_tool_calls": {"type":["boolean","null"]},
                  "reasoning_effort": {"type":["string","null"]}, "verbosity": {"type":["string","null"]}, "service_tier": {"type":["string","null"]},
                  "metadata": {"type":["object","null"]}, "prediction": {"properties":{"content":{"$ref":"#/components/schemas/Content"}}},
                  "web_search_options": {"type":["object","null"]}, "response_format": {"$ref":"#/components/schemas/ResponseFormat"},
                  "tools": {
                    "type": ["array","null"], "maxItems": 128, "items": {"$ref":"#/components/schemas/ChatTool"},
                    "description": "A schema has at most 1 MiB; all have at most 4 MiB and 250000 values, that of `response_format` included."
                  },
                  "tool_choice": {"description":"Read only where there are `tools`. A function that it names is among them."},
                  "functions": {"type":["array","null"],"maxItems":0,"description":"Not supported: send `tools`."}
                },
                "allOf": [
                  {"$ref":"#/components/schemas/Sampling"},
                  {
                    "if": {"required":["tools"],"properties":{"tools":{"type":"array","minItems":1}}},
                    "then": {"properties":{"tool_choice":{"$ref":"#/components/schemas/ToolChoice"}}}
                  },
                  {"if":{"required":["logprobs"],"properties":{"logprobs":{"const":true}}},"then":{"properties":{"top_logprobs":{"type":["integer","null"]}}}}
                ]
              },
              "ChatMessage": {
                "type": "object", "required": ["role"],
                "properties": {
                  "role": {"enum":["system","developer","user","assistant","tool","function"],"description":"`function` is the old name of `tool`."},
                  "content": {"$ref":"#/components/schemas/Content"}, "name": {"description":"A string, else ignored."},
                  "tool_calls": {"description":"Of an assistant."}, "tool_call_id": {"type":["string","null"],"description":"Of a tool: the id of the call."}
                },
                "allOf": [
                  {"if":{"properties":{"role":{"enum":["tool","function"]}}},"then":{"required":["tool_call_id"],"properties":{"tool_call_id":{"type":"string"}}}},
                  {
                    "if": {"properties":{"role":{"const":"assistant"}}},
                    "then": {
                      "properties": {"tool_calls":{"type":["array","null"],"items":{"$ref":"#/components/schemas/ChatToolCall"}}},
                      "anyOf": [{"properties":{"function_call":{"type":"null"}}},{"required":["tool_calls"],"properties":{"tool_calls":{"type":"array","minItems":1}}}]
                    }
                  }
                ]
              },
              "ChatToolCall": {
                "type": "object", "required": ["id","function"],
                "properties": {
                  "id": {"type":"string"}, "type": {"description":"`function`; not looked at in a request."},
                  "function": {
                    "type": "object", "required": ["name"],
                    "properties": {"name":{"type":"string"},"arguments":{"description":"JSON as a string; in a request also the object itself."}}
                  }
                }
              },
              "Content": {"type":["string","array","null"],"items":{"$ref":"#/components/schemas/ContentPart"}},
              "ContentPart": {"anyOf": [
                {"type":"string"},
                {"type":"object","required":["type"],"properties":{"type":{"enum":["text","input_text","output_text"]},"text":{"type":["string","null"]}}},
                {"type":"object","required":["type"],"properties":{"type":{"const":"refusal"},"refusal":{"type":["string","null"]}}},
                {
                  "type": "object", "required": ["type","image_url"],
                  "properties": {
                    "type": {"enum":["image_url","input_image"]},
                    "image_url": {"anyOf": [
                      {"$ref":"#/components/schemas/ImageURL"},
                      {
                        "type": "object", "required": ["url"],
                        "properties": {"url":{"$ref":"#/components/schemas/ImageURL"},"detail":{"description":"`auto`, `low` or `high`; not checked here."}}
                      }
                    ]}
                  }
                },
                {
                  "type": "object", "required": ["type","input_audio"],
                  "properties": {
                    "type": {"const":"input_audio"},
                    "input_audio": {
                      "type": "object", "required": ["data"],
                      "properties": {"data":{"type":"string","minLength":1}},
                      "anyOf": [
                        {"properties":{"data":{"pattern":"^data:[a-z0-9+._-]+/[a-z0-9+._-]+(;[^,]*)?;base64,."}}},
                        {"properties":{"format":{"type":["string","null"],"pattern":"^[A-Za-z0-9+._-]{1,32}$","default":"wav"}}}
                      ]
                    }
                  }
                },
                {"type":"object","required":["type","video_url"],"properties":{"type":{"const":"video_url"},"video_url":{"$ref":"#/components/schemas/Link"}}},
                {"type":"object","required":["type","audio_url"],"properties":{"type":{"const":"audio_url"},"audio_url":{"$ref":"#/components/schemas/Link"}}},
                {
                  "type": "object", "required": ["type"],
                  "properties": {"type":{"enum":["file","input_file"]}},
                  "anyOf": [
                    {"required":["file"],"properties":{"file":{"$ref":"#/components/schemas/FileData"}}},
                    {"allOf":[{"properties":{"file":{"type":"null"}}},{"$ref":"#/components/schemas/FileData"}]}
                  ]
                },
                {
                  "type": "object", "required": ["type"],
                  "properties": {"type":{"enum":["thinking","redacted_thinking","reasoning"],"description":"An assistant's thoughts, which are left out."}}
                }
              ]},
              "Link": {"anyOf": [
                {"$ref":"#/components/schemas/MediaURL"},
                {"type":"object","required":["url"],"properties":{"url":{"$ref":"#/components/schemas/MediaURL"}}}
              ]},
              "FileData": {
                "type": "object", "required": ["file_data"],
                "properties": {"file_data":{"type":"string"}},
                "anyOf": [
                  {"properties":{"file_data":{"pattern":"^data:[a-z0-9+._-]+/[a-z0-9+._-]+(;[^,]*)?;base64,."}}},
                  {"required":["filename"],"properties":{"file_data":{"pattern":"^[^:]+$"},"filename":{"type":"string","pattern":"\\.[pP][dD][fF]$"}}}
                ],
                "description": "A data URI, or the bare base64 of a PDF by its name."
              },
              "ResponseFormat": {
                "type": ["object","null"], "required": ["type"],
                "properties": {"type":{"enum":["text","json_object","json_schema"]}},
                "allOf": [{
                  "if": {"properties":{"type":{"const":"json_schema"}}},
                  "then": {"required":["json_schema"],"properties":{"json_schema":{"type":"object","properties":{"schema":{"type":["object","null"]}}}}}
                }]
              },
              "FunctionName": {"type":"string","pattern":"^[A-Za-z0-9_.-]{1,64}$"},
              "FunctionSchema": {
                "type": ["object","boolean","array","null"], "maxItems": 0,
                "properties": {"type":{"if":{"type":"string"},"then":{"pattern":"^[oO][bB][jJ][eE][cC][tT]$"}}},
                "description": "A JSON Schema of an object. A boolean or an empty array stands for none."
              },
              "ChatTool": {
                "type": "object", "required": ["function"],
                "properties": {
                  "type": {"enum":["function",null]},
                  "function": {
                    "type": "object", "required": ["name"],
                    "properties": {
                      "name": {"$ref":"#/components/schemas/FunctionName"}, "description": {"type":["string","null"]},
                      "parameters": {"$ref":"#/components/schemas/FunctionSchema"}
                    }
                  }
                }
              },
              "ChoiceMode": {"enum":["auto","none","required","any"],"description":"`any` means `required`."},
              "ToolChoice": {"anyOf": [
                {"type":"null"},
                {"$ref":"#/components/schemas/ChoiceMode"},
                {
                  "allOf": [{"$ref":"#/components/schemas/AllowedTools"}], "required": ["type"],
                  "properties": {"type":{"const":"allowed_tools"},"allowed_tools":{"type":"null"}}
                },
                {"type":"object","required":["allowed_tools"],"properties":{"allowed_tools":{"$ref":"#/components/schemas/AllowedTools"}}},
                {"allOf": [
                  {"type":"object","properties":{"allowed_tools":{"type":"null"},"type":{"not":{"const":"allowed_tools"}}}},
                  {"anyOf": [
                    {
                      "required": ["type"],
                      "properties": {"type":{"$ref":"#/components/schemas/ChoiceMode"},"function":{"properties":{"name":{"type":"null"}}},"name":{"type":"null"}}
                    },
                    {"$ref":"#/components/schemas/Named"}
                  ]}
                ]}
              ]},
              "Named": {
                "type": "object",
                "anyOf": [
                  {"required":["function"],"properties":{"function":{"type":"object","required":["name"],"properties":{"name":{"type":"string"}}}}},
                  {"required":["name"],"properties":{"function":{"type":"null"},"name":{"type":"string"}}}
                ]
              },
              "AllowedTools": {
                "type": "object", "required": ["tools"],
                "properties": {
                  "tools": {"type":"array","items":{"$ref":"#/components/schemas/Named"},"description":"All of them are among the request's `tools`."},
                  "mode": {"anyOf":[{"$ref":"#/components/schemas/ChoiceMode"},{"type":"null"}]}
                }
              },
              "CompletionsRequest": {
                "type": "object", "required": ["model"],
                "properties": {
                  "model": {"$ref":"#/components/schemas/ModelName"},
                  "prompt": {"type":["string","array","null"],"minItems":1,"maxItems":20,"items":{"type":"string"},"description":"Texts; token ids are not supported."},
                  "suffix": {"type":["string","null"]}, "stream": {"type":["boolean","null"]},
                  "stream_options": {"properties":{"include_usage":{"description":"true: the last event tells the usage."}}}, "echo": {"type":["boolean","null"]},
                  "logprobs": {"type":["integer","null"]}, "best_of": {"type":["integer","null"],"description":"Not greater than `n`."},
                  "max_tokens": {"type":["integer","null"],"description":"16 when it is absent."}
                },
                "anyOf": [
                  {"required":["prompt"],"properties":{"prompt":{"type":["string","array"]}}},
                  {"required":["suffix"],"properties":{"suffix":{"type":"string","minLength":1}}}
                ],
                "allOf": [{"$ref":"#/components/schemas/Sampling"}]
              },
              "EmbeddingsRequest": {
                "type": "object", "required": ["model","input"],
                "properties": {
                  "model": {"$ref":"#/components/schemas/ModelName"},
                  "input": {"type":["string","array"],"minLength":1,"minItems":1,"maxItems":2048,"items":{"type":"string","minLength":1}},
                  "encoding_format": {"enum":["float","base64",null]},
                  "dimensions": {"type":["integer","null"],"description":"Below 1: the model's own. A model of one length takes only that."},
                  "input_type": {"description": "`search_document`, `search_query`, `classification`, `clustering`, `image`, `document`, `passage` or `query`, in either case; anything else counts for nothing."},
                  "truncate": {"description":"`none`, `start` or `end` in either case, true or false; anything else is `end`."}, "stream": {"type":["boolean","null"]}
                }
              },
              "RerankRequest": {
                "type": "object", "required": ["model","query","documents"],
                "properties": {
                  "model": {"$ref":"#/components/schemas/ModelName"}, "query": {"type":"string","minLength":1},
                  "documents": {
                    "type": "array", "minItems": 1, "items": {"type":["string","object"]},
                    "description": "An object's text is its `text`, or the members that `rank_fields` names, of which it has at least one."
                  },
                  "rank_fields": {"type":["array","null"],"items":{"type":"string"}},
                  "top_n": {"type":["integer","null"],"description":"Below 1: all. So are the other limits."},
                  "return_documents": {"type":["boolean","null"],"default":true}, "max_chunks_per_doc": {"type":["integer","null"]},
                  "max_tokens_per_doc": {"type":["integer","null"]}, "stream": {"type":["boolean","null"]}
                },
                "if": {"required":["rank_fields"],"properties":{"rank_fields":{"type":"array","contains":{"not":{"const":"text"}}}}},
                "else": {"properties":{"documents":{"items":{"required":["text"],"properties":{"text":{"type":"string"}}}}}}
              },
              "MessagesRequest": {
                "allOf": [{"$ref":"#/components/schemas/MessagesPrompt"}], "required": ["max_tokens"],
                "properties": {
                  "max_tokens": {"type":"integer"}, "temperature": {"type":["number","null"]}, "top_p": {"type":["number","null"]},
                  "top_k": {"type":["integer","null"]},
                  "tools": {
                    "maxItems": 128,
                    "items": {
                      "if": {"properties":{"type":{"$ref":"#/components/schemas/OwnToolType"},"defer_loading":{"not":{"const":true}}}},
                      "then": {"properties":{"name":{"$ref":"#/components/schemas/ShortName"},"input_schema":{"$ref":"#/components/schemas/FunctionSchema"}}}
                    }
                  }
                },
                "description": "Beyond what the prompt alone has to be. Images, sound, files and functions have to be what `ChatRequest` takes."
              },
              "ShortName": {"if":{"type":"string"},"then":{"$ref":"#/components/schemas/FunctionName"}},
              "MessagesPrompt": {
                "type": "object", "required": ["model","messages"],
                "properties": {
                  "model": {"$ref":"#/components/schemas/ModelName"},
                  "messages": {
                    "type": "array", "minItems": 1, "items": {"$ref":"#/components/schemas/InputMessage"},
                    "description": "With something in them that the model can be shown."
                  },
                  "system": {"type":["string","array","null"],"description":"A text, or blocks of text; others are left out."}, "stream": {"type":["boolean","null"]},
                  "max_tokens": {"type":["integer","null"]}, "stop_sequences": {"type":["array","null"],"items":{"type":"string"}},
                  "thinking": {
                    "type": ["object","null"],
                    "properties": {
                      "type": {"type":["string","null"],"description":"`enabled`, `adaptive` and `between_tools` show the reasoning, `disabled` turns it off."},
                      "display": {"description":"`omitted`: only a seal of the reasoning."}
                    }
                  },
                  "output_config": {"properties":{"effort":{"description":"A string, else ignored."},"format":{"$ref":"#/components/schemas/OutputFormat"}}},
                  "output_format": {"$ref":"#/components/schemas/OutputFormat"},
                  "tools": {"type":["array","null"],"items":{"$ref":"#/components/schemas/MessagesTool"}},
                  "tool_choice": {"description":"Read only where there are `tools`. A tool that it names is among them."},
                  "thread": {"type":"null","description":"Not supported: no conversations are kept."}, "mcp_servers": {"$ref":"#/components/schemas/Hollow"},
                  "compaction": {"$ref":"#/components/schemas/Hollow"}
                },
                "allOf": [
                  {
                    "if": {"required":["tools"],"properties":{"tools":{"type":"array","minItems":1}}},
                    "then": {"properties": {
                      "tools": {"contains":{"properties":{"type":{"$ref":"#/components/schemas/OwnToolType"}}}},
                      "tool_choice": {"$ref":"#/components/schemas/MessagesToolChoice"}
                    }}
                  },
                  {
                    "if": {
                      "required": ["thinking"],
                      "properties": {
                        "thinking": {"type":"object","required":["type"],"properties":{"type":{"const":"enabled"}}},
                        "output_config": {"not":{"type":"object","required":["effort"],"properties":{"effort":{"type":"string"}}}}
                      }
                    },
                    "then": {"properties":{"thinking":{"properties":{"budget_tokens":{"type":["integer","null"]}}}}}
                  }
                ]
              },
              "Hollow": {
                "anyOf": [
                  {"type":["null","boolean","number"]},
                  {"const":""},
                  {"type":"array","items":{"$ref":"#/components/schemas/Hollow"}},
                  {"type":"object","properties":{"type":{}},"additionalProperties":{"$ref":"#/components/schemas/Hollow"}}
                ],
                "description": "Nothing: this proxy does not run it."
              },
              "OutputFormat": {
                "if": {"required":["type"],"properties":{"type":{"const":"json_schema"}}}, "then": {"required":["schema"],"properties":{"schema":{"type":"object"}}}
              },
              "MessagesTool": {
                "type": "object",
                "properties": {"type": {
                  "type": ["string","null"],
                  "description": "`custom` when it is absent. Those of `bash_`, `text_editor_` and `memory_` are known; others run at Anthropic and are left out."
                }},
                "allOf": [
                  {"if":{"properties":{"type":{"enum":["custom",null]}}},"then":{"required":["name"],"properties":{"name":{"type":"string"}}}},
                  {
                    "if": {"properties":{"type":{"enum":["custom",null]},"defer_loading":{"not":{"const":true}}}},
                    "then": {"required":["input_schema"],"properties":{"input_schema":{"type":"object"}}}
                  },
                  {
                    "if": {"required":["type"],"properties":{"type":{"type":"string","pattern":"^(bash|text_editor|memory)_"}}},
                    "then": {"properties":{"name":{"type":["string","null"]}}}
                  }
                ]
              },
              "MessagesToolChoice": {
                "type": ["object","null"],
                "properties": {"type":{"enum":["auto","any","tool","none",null]},"disable_parallel_tool_use":{"description":"true: one call at most."}},
                "allOf": [{"if":{"required":["type"],"properties":{"type":{"const":"tool"}}},"then":{"required":["name"],"properties":{"name":{"type":"string"}}}}]
              },
              "InputMessage": {
                "type": "object", "required": ["role"],
                "properties": {"role":{"enum":["user","assistant","system","developer"]},"content":{"type":["string","array","null"]}},
                "allOf": [
                  {"if":{"properties":{"role":{"const":"user"}}},"then":{"properties":{"content":{"items":{"$ref":"#/components/schemas/UserBlock"}}}}},
                  {
                    "if": {"properties":{"role":{"const":"assistant"}}},
                    "then": {"properties": {"content": {"items": {
                      "if": {"required":["type"],"properties":{"type":{"const":"tool_use"}}},
                      "then": {"required":["id","name"],"properties":{"id":{"type":"string"},"name":{"type":"string"}}}
                    }}}}
                  }
                ]
              },
              "UserBlock": {"allOf": [
                {"$ref":"#/components/schemas/Block"},
                {
                  "if": {"required":["type"],"properties":{"type":{"const":"tool_result"}}},
                  "then": {
                    "required": ["tool_use_id"],
                    "properties": {"tool_use_id":{"type":"string"},"content":{"$ref":"#/components/schemas/Blocks"},"is_error":{"description":"true: it is an error."}}
                  }
                }
              ]},
              "Blocks": {"type":["string","array","null"],"items":{"$ref":"#/components/schemas/Block"}},
              "Block": {
                "type": ["string","object"], "required": ["type"],
                "properties": {"type":{"type":"string","description":"Blocks of other types are left out."}},
                "allOf": [
                  {"if":{"properties":{"type":{"const":"image"}}},"then":{"required":["source"],"properties":{"source":{"$ref":"#/components/schemas/ImageSource"}}}},
                  {
                    "if": {"properties":{"type":{"const":"document"}}},
                    "then": {"required":["source"],"properties":{"source":{"$ref":"#/components/schemas/DocumentSource"}}}
                  },
                  {"if":{"properties":{"type":{"const":"search_result"}}},"then":{"properties":{"content":{"type":["string","array","null"]}}}}
                ]
              },
              "ImageSource": {
                "type": "object", "required": ["type"],
                "anyOf": [
                  {"required":["media_type","data"],"properties":{"type":{"const":"base64"},"media_type":{"type":"string"},"data":{"type":"string"}}},
                  {"required":["url"],"properties":{"type":{"const":"url"},"url":{"type":"string"}}}
                ]
              },
              "DocumentSource": {
                "type": "object", "required": ["type"],
                "anyOf": [
                  {"required":["media_type","data"],"properties":{"type":{"const":"base64"},"media_type":{"type":"string"},"data":{"type":"string"}}},
                  {"required":["data"],"properties":{"type":{"const":"text"},"data":{"type":"string"}}},
                  {"properties":{"type":{"const":"content"},"content":{"$ref":"#/components/schemas/Blocks"}}}
                ]
              },
              "ResponsesRequest": {
                "allOf": [{"$ref":"#/components/schemas/ResponsesPrompt"}],
                "properties": {
                  "max_output_tokens": {"type":["integer","null"],"description":"Below 1: no limit."}, "temperature": {"type":["number","null"]},
                  "top_p": {"type":["number","null"]}, "service_tier": {"type":["string","null"]}, "reasoning": {"properties":{"effort":{"type":["string","null"]}}},
                  "text": {"properties": {
                    "verbosity": {"type":["string","null"]},
                    "format": {
                      "if": {"type":"object","required":["type"],"properties":{"type":{"const":"json_schema"}}},
                      "then": {"properties":{"schema":{"type":["object","null"]}}}
                    }
                  }},
                  "tools": {"maxItems":128,"items":{"$ref":"#/components/schemas/NamedTool"}}
                },
                "description": "Beyond what the prompt alone has to be. Images, sound, files and functions have to be what `ChatRequest` takes; a function's name together with its namespace's.",
                "if": {"required":["tools"],"properties":{"tools":{"type":"array","minItems":1}}},
                "then": {"properties": {
                  "parallel_tool_calls": {"type":["boolean","null"]}, "tool_choice": {"if":{"type":"string"},"then":{"$ref":"#/components/schemas/ChoiceMode"}}
                }}
              },
              "NamedTool": {
                "if": {"properties":{"type":{"enum":["function","custom"]}}},
                "then": {"properties": {
                  "name": {"$ref":"#/components/schemas/ShortName"}, "parameters": {"$ref":"#/components/schemas/FunctionSchema"},
                  "function": {"properties":{"name":{"$ref":"#/components/schemas/ShortName"},"parameters":{"$ref":"#/components/schemas/FunctionSchema"}}}
                }}
              },
              "ResponsesPrompt": {
                "type": "object", "required": ["model"],
                "properties": {
                  "model": {"$ref":"#/components/schemas/ModelName"},
                  "input": {
                    "type": ["string","array","null"], "items": {"$ref":"#/components/schemas/InputItem"},
                    "description": "With something in it that the model can be shown."
                  },
                  "instructions": {"type":["string","null"]},
                  "previous_response_id": {"type":["string","null"],"description":"Of a response that was made with the same key and is still kept."},
                  "stream": {"type":["boolean","null"]}, "store": {"type":["boolean","null"],"default":true},
                  "include": {"description":"A list; `reasoning.encrypted_content` and `message.output_text.logprobs` are known, others ignored."},
                  "reasoning": {"type":["object","null"],"properties":{"summary":{"description":"Anything: the reasoning is shown."}}},
                  "text": {
                    "type": ["object","null"],
                    "properties": {"format": {
                      "type": ["object","null"],
                      "properties": {"type":{"type":["string","null"],"description":"`json_object` and `json_schema`; anything else is text."}}
                    }}
                  },
                  "top_logprobs": {"type":["integer","null"]}, "tools": {"type":["array","null"],"items":{"$ref":"#/components/schemas/ResponsesTool"}},
                  "tool_choice": {"description":"Read only where there are `tools`: `auto`, `none`, `required`, an object that names one of them, or `allowed_tools`."},
                  "prompt": {"type":"null","description":"Not supported."}, "conversation": {"type":"null","description":"Not supported."}
                },
                "anyOf": [
                  {"required":["input"],"properties":{"input":{"type":["string","array"],"minItems":1}}},
                  {"required":["instructions"],"properties":{"instructions":{"type":"string","minLength":1}}},
                  {"required":["previous_response_id"],"properties":{"previous_response_id":{"type":"string"}}}
                ]
              },
              "InputItem": {
                "type": ["string","object","null"],
                "properties": {"type": {
                  "type": ["string","null"], "not": {"const":"compaction_trigger"},
                  "description": "Without one, an item with a `role` is a message and one with an `id` a reference to an item that is kept. Items of unknown types are left out."
                }},
                "allOf": [
                  {
                    "if": {"anyOf":[{"required":["type"],"properties":{"type":{"const":"message"}}},{"required":["role"],"properties":{"type":{"type":"null"}}}]},
                    "then": {
                      "required": ["role"],
                      "properties": {"role":{"enum":["user","assistant","system","developer"]},"content":{"$ref":"#/components/schemas/InputParts"}}
                    }
                  },
                  {
                    "if": {"required":["type"],"properties":{"type":{"enum":["function_call","custom_tool_call"]}}},
                    "then": {"allOf":[{"$ref":"#/components/schemas/CallID"}],"required":["name"],"properties":{"name":{"type":"string"}}}
                  },
                  {
                    "if": {"required":["type"],"properties":{"type":{"enum":["function_call_output","custom_tool_call_output"]}}},
                    "then": {"allOf":[{"$ref":"#/components/schemas/CallID"}],"properties":{"output":{"items":{"$ref":"#/components/schemas/InputPart"}}}}
                  },
                  {
                    "if": {"required":["type"],"properties":{"type":{"enum":["tool_search_output","additional_tools"]}}},
                    "then": {"properties":{"tools":{"type":["array","null"],"items":{"$ref":"#/components/schemas/ResponsesTool"}}}}
                  }
                ]
              },
              "CallID": {"anyOf": [
                {"required":["call_id"],"properties":{"call_id":{"type":"string"}}},
                {"required":["id"],"properties":{"call_id":{"type":"null"},"id":{"type":"string"}}}
              ]},
              "InputParts": {"type":["string","array","null"],"items":{"$ref":"#/components/schemas/InputPart"}},
              "InputPart": {
                "type": ["string","object"],
                "properties": {"type":{"type":["string","null"],"description":"A text when it is absent. Parts of unknown types are left out."}},
                "allOf": [
                  {
                    "if": {"required":["type"],"properties":{"type":{"const":"input_image"}}},
                    "then": {
                      "required": ["image_url"],
                      "properties": {"image_url":{"type":["string","object"],"required":["url"],"properties":{"url":{"type":"string"}}}}
                    }
                  },
                  {
                    "if": {"required":["type"],"properties":{"type":{"const":"input_file"}}},
                    "then": {"required":["file_data"],"properties":{"file_data":{"type":"string"}}}
                  },
                  {
                    "if": {"required":["type"],"properties":{"type":{"const":"input_audio"}}},
                    "then": {"required":["input_audio"],"properties":{"input_audio":{"not":{"type":"null"}}}}
                  }
                ]
              },
              "ResponsesTool": {
                "type": "object", "required": ["type"],
                "properties": {"type": {
                  "type": "string",
                  "description": "`function`, `custom`, `namespace`, `tool_search` of the client's, `local_shell`, `shell` or `apply_patch`; others run at OpenAI and are left out."
                }},
                "allOf": [
                  {"if":{"properties":{"type":{"enum":["function","custom"]}}},"then":{"$ref":"#/components/schemas/ResponsesFunction"}},
                  {
                    "if": {"properties":{"type":{"const":"namespace"}}},
                    "then": {
                      "required": ["name"],
                      "properties": {"name":{"type":"string"},"tools":{"type":["array","null"],"items":{"$ref":"#/components/schemas/ResponsesFunction"}}}
                    }
                  }
                ]
              },
              "ResponsesFunction": {
                "type": "object", "if": {"required":["function"],"properties":{"function":{"not":{"type":"null"}}}},
                "then": {"properties":{"function":{"$ref":"#/components/schemas/PlainFunction"}}}, "else": {"$ref":"#/components/schemas/PlainFunction"}
              },
              "PlainFunction": {"type":"object","required":["name"],"properties":{"name":{"type":"string"},"parameters":{"type":["object","null"]}}},
              "ChatCompletion": {
                "type": "object", "required": ["id","object","created","model","choices"],
                "properties": {
                  "id": {"type":"string"}, "object": {"const":"chat.completion"}, "created": {"type":"integer"},
                  "model": {"type":"string","description":"The name that the client sent, or that of the fallback which answered."},
                  "choices": {
                    "type": "array",
                    "items": {
                      "type": "object", "required": ["index","message","finish_reason"],
                      "properties": {
                        "index": {"type":"integer"},
                        "message": {
                          "type": "object", "required": ["role","content"],
                          "properties": {
                            "role": {"const":"assistant"}, "content": {"type":["string","null"]}, "reasoning_content": {"type":"string"},
                            "refusal": {"type":["string","null"]}, "tool_calls": {"type":"array","items":{"$ref":"#/components/schemas/ChatToolCall"}},
                            "annotations": {"type":"array"}
                          }
                        },
                        "logprobs": {"type":["object","null"]},
                        "finish_reason": {"type":"string","description":"`stop`, `length`, `tool_calls` or `content_filter`; a provider's own word passes."}
                      }
                    }
                  },
                  "usage": {"$ref":"#/components/schemas/Usage"}
                }
              },
              "ChatCompletionChunk": {
                "type": "object", "required": ["id","object","created","model","choices"],
                "properties": {
                  "id": {"type":"string"}, "object": {"const":"chat.completion.chunk"}, "created": {"type":"integer"}, "model": {"type":"string"},
                  "choices": {
                    "type": "array", "description": "Empty in the chunk with the usage.",
                    "items": {
                      "type": "object", "required": ["index","delta","finish_reason"],
                      "properties": {
                        "index": {"type":"integer"},
                        "delta": {
                          "type": "object",
                          "properties": {
                            "role": {"const":"assistant"}, "content": {"type":["string","null"]}, "reasoning_content": {"type":"string"},
                            "refusal": {"type":["string","null"]},
                            "tool_calls": {
                              "type": "array",
                              "items": {
                                "type": "object", "required": ["index"],
                                "properties": {"index":{"type":"integer"},"id":{"type":"string"},"type":{"const":"function"},"function":{"type":"object"}}
                              }
                            }
                          }
                        },
                        "logprobs": {"type":["object","null"]}, "finish_reason": {"type":["string","null"]}
                      }
                    }
                  },
                  "usage": {"anyOf":[{"$ref":"#/components/schemas/Usage"},{"type":"null"}]}
                }
              },
              "Usage": {
                "type": "object", "required": ["prompt_tokens","completion_tokens","total_tokens"],
                "properties": {
                  "prompt_tokens": {"type":"integer"}, "completion_tokens": {"type":"integer"}, "total_tokens": {"type":"integer"},
                  "completion_tokens_details": {"properties":{"reasoning_tokens":{"type":"integer"}}},
                  "prompt_tokens_details": {"properties":{"cached_tokens":{"type":"integer"}}}
                }
              },
              "Completion": {
                "type": "object", "required": ["id","object","created","model","choices"],
                "properties": {
                  "id": {"type":"string"}, "object": {"const":"text_completion"}, "created": {"type":"integer"}, "model": {"type":"string"},
                  "choices": {
                    "type": "array",
                    "items": {
                      "type": "object", "required": ["index","text","logprobs","finish_reason"],
                      "properties": {
                        "index": {"type":"integer"}, "text": {"type":"string"}, "finish_reason": {"enum":["stop","length","content_filter",null]},
                        "logprobs": {"type":["object","null"],"required":["tokens","token_logprobs","top_logprobs","text_offset"]}
                      }
                    }
                  },
                  "usage": {"$ref":"#/components/schemas/Usage"}
                }
              },
              "EmbeddingList": {
                "type": "object", "required": ["object","data","model","usage"],
                "properties": {
                  "object": {"const":"list"}, "model": {"type":"string"},
                  "data": {
                    "type": "array",
                    "items": {
                      "type": "object", "required": ["object","index","embedding"],
                      "properties": {
                        "object": {"const":"embedding"}, "index": {"type":"integer"},
                        "embedding": {
                          "type": ["array","string"], "items": {"type":"number"},
                          "description": "Numbers, or the base64 of 32-bit floats, the least significant byte first."
                        }
                      }
                    }
                  },
                  "usage": {"$ref":"#/components/schemas/TextUsage"}
                }
              },
              "RerankAnswer": {
                "type": "object", "required": ["id","object","model","results","data","usage"],
                "properties": {
                  "id": {"type":"string"}, "object": {"const":"list"}, "model": {"type":"string"},
                  "results": {"type":"array","items":{"$ref":"#/components/schemas/Rank"}},
                  "data": {"type":"array","description":"The same without the documents.","items":{"$ref":"#/components/schemas/Rank"}},
                  "usage": {"$ref":"#/components/schemas/TextUsage"}
                }
              },
              "Rank": {
                "type": "object", "required": ["index","relevance_score"],
                "properties": {
                  "index": {"type":"integer"}, "relevance_score": {"type":"number"},
                  "document": {"type":"object","required":["text"],"properties":{"text":{"type":"string"}}}
                }
              },
              "Message": {
                "type": "object", "required": ["id","type","role","model","content","stop_reason","stop_sequence","usage"],
                "properties": {
                  "id": {"type":"string"}, "type": {"const":"message"}, "role": {"const":"assistant"}, "model": {"type":"string"},
                  "content": {
                    "type": "array",
                    "items": {"anyOf": [
                      {"type":"object","required":["type","text"],"properties":{"type":{"const":"text"},"text":{"type":"string"}}},
                      {
                        "type": "object", "required": ["type","thinking","signature"],
                        "properties": {"type":{"const":"thinking"},"thinking":{"type":"string"},"signature":{"type":"string"}}
                      },
                      {
                        "type": "object", "required": ["type","id","name","input"],
                        "properties": {"type":{"const":"tool_use"},"id":{"type":"string"},"name":{"type":"string"},"input":{"type":"object"}}
                      }
                    ]}
                  },
                  "stop_reason": {"enum":["end_turn","max_tokens","tool_use","stop_sequence","refusal",null]}, "stop_sequence": {"type":["string","null"]},
                  "stop_details": {"type":"object","description":"Of a refusal."},
                  "usage": {
                    "type": "object", "required": ["input_tokens","cache_creation_input_tokens","cache_read_input_tokens","output_tokens"],
                    "properties": {"input_tokens":{"type":"integer"},"output_tokens":{"type":"integer"}}
                  }
                }
              },
              "MessageEvent": {
                "type": "object", "required": ["type"],
                "properties": {
                  "type": {"enum":["message_start","ping","content_block_start","content_block_delta","content_block_stop","message_delta","message_stop","error"]},
                  "message": {"$ref":"#/components/schemas/Message"}, "index": {"type":"integer"}, "content_block": {"type":"object"}, "delta": {"type":"object"}
                }
              },
              "Response": {
                "type": "object", "required": ["id","object","created_at","status","model","error","incomplete_details","output","usage"],
                "properties": {
                  "id": {"type":"string"}, "object": {"const":"response"}, "created_at": {"type":"integer"}, "model": {"type":"string"},
                  "status": {"enum":["in_progress","completed","incomplete","failed"]}, "error": {"type":["object","null"],"required":["code","message"]},
                  "incomplete_details": {"type":["object","null"],"required":["reason"]}, "output": {"type":"array","items":{"$ref":"#/components/schemas/OutputItem"}},
                  "usage": {"type":["object","null"],"required":["input_tokens","input_tokens_details","output_tokens","output_tokens_details","total_tokens"]},
                  "completed_at": {"type":"integer"}
                },
                "description": "With every member that the Open Responses specification requires: what was asked, or the default."
              },
              "OutputItem": {
                "type": "object", "required": ["type","id"],
                "properties": {
                  "type": {"enum":["message","reasoning","function_call","custom_tool_call","tool_search_call","local_shell_call","shell_call","apply_patch_call"]},
                  "id": {"type":"string"}, "status": {"enum":["in_progress","completed","incomplete"]}, "role": {"const":"assistant"},
                  "content": {"type":"array","items":{"type":"object","required":["type"],"properties":{"type":{"enum":["output_text","refusal"]}}}},
                  "summary": {"type":"array"}, "encrypted_content": {"type":"string"}, "call_id": {"type":"string"}, "name": {"type":"string"},
                  "arguments": {"type":["string","object"]}, "input": {"type":"string"}
                }
              },
              "ResponseEvent": {
                "type": "object", "required": ["type","sequence_number"],
                "properties": {
                  "type": {"type":"string","pattern":"^response\\."}, "sequence_number": {"type":"integer"}, "response": {"$ref":"#/components/schemas/Response"},
                  "item": {"$ref":"#/components/schemas/OutputItem"}, "delta": {"type":"string"}
                }
              },
              "ItemList": {
                "type": "object", "required": ["object","data","first_id","last_id","has_more"],
                "properties": {
                  "object": {"const":"list"}, "data": {"type":"array","items":{"type":"object","required":["id","type"]}}, "first_id": {"type":["string","null"]},
                  "last_id": {"type":["string","null"]}, "has_more": {"type":"boolean"}
                }
              },
              "Model": {
                "type": "object", "required": ["id","object","created","owned_by"],
                "properties": {
                  "id": {"type":"string"}, "object": {"const":"model"}, "created": {"type":"integer"}, "owned_by": {"type":"string"},
                  "oci_model_id": {"type":"string","description":"This and the following are there for models of OCI; a provider's have the provider's own."},
                  "accounts": {"type":"array","items":{"type":"string"}}, "capabilities": {"type":"array","items":{"enum":["chat","embeddings","rerank"]}},
                  "context_length": {"type":"integer"}, "max_output_tokens": {"type":"integer"},
                  "shutdown_date": {"type":"string","format":"date","description":"The day on which it retires, in UTC. This and the following are there where something is known."},
                  "retirement_info": {"type":"string","description":"What the upstream says about that."},
                  "successor": {"type":"string","description":"Who takes over on that day (`[SUCCESSORS]`)."}
                }
              },
              "ModelList": {
                "type": "object", "required": ["object","data"],
                "properties": {"object":{"const":"list"},"data":{"type":"array","items":{"$ref":"#/components/schemas/Model"}}}
              },
              "AnthropicModel": {
                "allOf": [{"$ref":"#/components/schemas/Model"}], "required": ["type","display_name","created_at","lifecycle"],
                "properties": {
                  "type": {"const":"model"}, "display_name": {"type":"string"}, "created_at": {"type":"string","format":"date-time"}, "lifecycle": {"const":"active"}
                }
              },
              "AnthropicModelList": {
                "type": "object", "required": ["object","data","has_more","first_id","last_id"],
                "properties": {
                  "object": {"const":"list"}, "data": {"type":"array","items":{"$ref":"#/components/schemas/AnthropicModel"}}, "has_more": {"type":"boolean"},
                  "first_id": {"type":["string","null"]}, "last_id": {"type":["string","null"]}
                }
              },
              "Error": {
                "type": "object", "required": ["error"],
                "properties": {"error": {
                  "type": "object", "required": ["message","type","param","code"],
                  "properties": {
                    "message": {"type":"string"}, "type": {"type":"string"}, "param": {"type":["string","null"]},
                    "code": {"type":["string","integer","null"],"description":"A number, the status, only in the 401 of aggregator mode."}
                  }
                }}
              },
              "AnthropicError": {
                "type": "object", "required": ["type","error","request_id"],
                "properties": {
                  "type": {"const":"error"}, "request_id": {"type":"string"},
                  "error": {
                    "type": "object", "required": ["type","message"],
                    "properties": {
                      "type": {"enum": [
                        "invalid_request_error", "authentication_error", "billing_error", "permission_error", "not_found_error", "conflict_error", "request_too_large",
                        "rate_limit_error", "timeout_error", "overloaded_error", "api_error"
                      ]},
                      "message": {"type":"string"}, "details": {"type":"object","required":["error_code"],"properties":{"error_code":{"type":"string"}}}
                    }
                  }
                }
              },
              "Mode": {"enum":["single","multi-account","aggregator"]},
              "Root": {
                "type": "object", "required": ["name","version","mode","endpoints"],
                "properties": {
                  "name": {"const":"ociai-proxy"}, "version": {"type":"string"}, "mode": {"$ref":"#/components/schemas/Mode"},
                  "endpoints": {"type":"array","items":{"type":"string"}}
                }
              },
              "Health": {
                "type": "object",
                "required": ["status","mode","providers","healthy_providers","total_providers","accounts","healthy_accounts","total_accounts"],
                "properties": {
                  "status": {"enum":["healthy","degraded","unhealthy","draining"]}, "mode": {"$ref":"#/components/schemas/Mode"},
                  "providers": {"type":"object","additionalProperties":{"type":"boolean"}}, "healthy_providers": {"type":"integer"},
                  "total_providers": {"type":"integer"}, "accounts": {"type":"object","additionalProperties":{"type":"boolean"}},
                  "healthy_accounts": {"type":"integer"}, "total_accounts": {"type":"integer"},
                  "shared_state": {"enum":["pending","shared","learning","degraded"],"description":"Where limits are shared with other instances."},
                  "instances": {"type":"integer","description":"That limits are divided among."}
                }
              },
              "TestReport": {
                "type": "object", "required": ["status","at","accounts"],
                "properties": {
                  "status": {"enum":["ok","degraded","failed"]}, "at": {"$ref":"#/components/schemas/Instant"},
                  "accounts": {
                    "type": "array",
                    "items": {
                      "type": "object", "required": ["id","region","endpoint","ok","latency_ms","models","error"],
                      "properties": {
                        "id": {"type":"string"}, "region": {"type":["string","null"]}, "endpoint": {"type":["string","null"]}, "ok": {"type":"boolean"},
                        "latency_ms": {"type":"integer"}, "models": {"type":"integer"}, "error": {"type":["string","null"]}
                      }
                    }
                  }
                }
              },
              "RefreshReport": {
                "type": "object", "required": ["models","added","removed","accounts"],
                "properties": {
                  "models": {"type":"integer"}, "added": {"type":"array","items":{"type":"string"}}, "removed": {"type":"array","items":{"type":"string"}},
                  "accounts": {
                    "type": "object",
                    "additionalProperties": {
                      "type": "object", "required": ["ok","models"],
                      "properties": {"ok":{"type":"boolean"},"models":{"type":"integer"},"error":{"type":"string"}}
                    }
                  }
                }
              },
              "Instant": {"type":"string","format":"date-time","description":"UTC."}, "Moment": {"type":["string","null"],"format":"date-time","description":"UTC."},
              "BreakerState": {"enum":["closed","open","half_open"]},
              "Percentiles": {"type":"object","required":["count","p50","p90","p99"],"additionalProperties":{"type":"number"}},
              "UnwellModels": {
                "type": "array", "description": "The models that are not well, the worst first.",
                "items": {
                  "type": "object", "required": ["model","circuit_breaker","consecutive_failures","retry_at","cooling_until","learnt_limit","in_flight"],
                  "properties": {
                    "model": {"type":"string"}, "circuit_breaker": {"$ref":"#/components/schemas/BreakerState"}, "retry_at": {"$ref":"#/components/schemas/Moment"},
                    "cooling_until": {"$ref":"#/components/schemas/Moment"}, "learnt_limit": {"type":["integer","null"]}
                  },
                  "additionalProperties": {"type":"integer"}
                }
              },
              "Role": {"enum":["client","viewer","admin"]},
              "MomentText": {
                "type": "string", "pattern": "^2[0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])([Tt]([01][0-9]|2[0-3])(:[0-5][0-9]){2}([.][0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2}))?$",
                "description": "`2027-01-31`, which is its beginning in UTC, or `2027-01-31T12:00:00Z`."
              },
              "Texts": {"type":["string","array","null"],"minLength":1,"minItems":1,"items":{"type":"string","pattern":"^[^,]+$"},"description":"A list, or a text with commas."},
              "KeyLimits": {
                "type": "object", "required": ["role","expires","models","rpm","tpm","max_concurrency","budget_hard","budget_soft"],
                "properties": {
                  "role": {"$ref":"#/components/schemas/Role"}, "expires": {"$ref":"#/components/schemas/Moment"},
                  "models": {"type":"array","items":{"type":"string"},"description":"Regular expressions; empty: all models."},
                  "rpm": {"type":["integer","null"],"description":"Requests a minute; null: what holds for all keys."},
                  "tpm": {"type":["integer","null"],"description":"Tokens a minute."},
                  "max_concurrency": {"type":["integer","null"],"description":"Requests at once; null: what holds for all keys."},
                  "budget_hard": {"type":"array","items":{"$ref":"#/components/schemas/BudgetText"}}, "budget_soft": {"type":"array","items":{"$ref":"#/components/schemas/BudgetText"}}
                }
              },
              "BudgetText": {"type":"string","description":"`5 USD per day`, `90000 tokens per hour`, `20 USD in all`; also per week and per month."},
              "ClientKey": {
                "allOf": [{"$ref":"#/components/schemas/KeyLimits"}], "required": ["name","source"],
                "properties": {
                  "name": {"type":"string"}, "source": {"enum":["file","managed"]},
                  "prefix": {"type":"string","description":"The beginning of the key, to know it by. This and the following are there for managed keys."},
                  "created_at": {"$ref":"#/components/schemas/Instant"}, "revoked_at": {"$ref":"#/components/schemas/Moment"},
                  "former_keys_until": {"type":"array","items":{"$ref":"#/components/schemas/Instant"},"description":"Until when keys that it has replaced work on."}
                },
                "if": {"properties":{"source":{"const":"managed"}}}, "then": {"required":["prefix","created_at","revoked_at","former_keys_until"]}
              },
              "ShownKey": {
                "allOf": [{"$ref":"#/components/schemas/ClientKey"}], "required": ["key"],
                "properties": {"key":{"type":"string","pattern":"^oci-[0-9A-Za-z]{38}$","description":"It is shown this once."}}
              },
              "KeyOrder": {
                "type": "object", "required": ["name"],
                "properties": {
                  "name": {
                    "type": "string", "pattern": "^[!#-&(-+.0-Z^_a-~-]{1,64}$",
                    "description": "Visible ASCII characters but commas, slashes, quotes and brackets, and not only dots."
                  },
                  "role": {"anyOf":[{"$ref":"#/components/schemas/Role"},{"type":"null"}],"default":"client"},
                  "expires": {"anyOf":[{"$ref":"#/components/schemas/MomentText"},{"type":"null"}]}, "models": {"$ref":"#/components/schemas/Texts"},
                  "rpm": {"$ref":"#/components/schemas/Count"}, "tpm": {"allOf":[{"$ref":"#/components/schemas/Count"}],"maximum":1000000000},
                  "max_concurrency": {"$ref":"#/components/schemas/Count"}, "budget_hard": {"$ref":"#/components/schemas/Texts"}, "budget_soft": {"$ref":"#/components/schemas/Texts"}
                },
                "additionalProperties": {"type":"null"}
              },
              "Count": {"anyOf":[{"type":"integer","minimum":1,"maximum":1000000000},{"type":"string","pattern":"^[0-9]+$"},{"type":"null"}],"description":"From 1 to 1000000; of `tpm` to 1000000000."},
              "RateStanding": {
                "type": "object", "required": ["limit","remaining","reset_ms"],
                "properties": {"limit":{"type":"integer"},"remaining":{"type":"integer"},"reset_ms":{"type":"integer","description":"Until all of it is there."}}
              },
              "Spent": {
                "type": "object", "required": ["since","requests","tokens","cost_nano_usd"],
                "properties": {
                  "since": {"$ref":"#/components/schemas/Moment"}, "requests": {"type":"integer"}, "tokens": {"type":"integer"},
                  "cost_nano_usd": {"type":"integer","description":"In 0.000000001 US dollars, of what has a price."}
                }
              },
              "BudgetStanding": {
                "type": "object", "required": ["budget","kind","unit","limit","spent","reserved","remaining","resets_at"],
                "properties": {
                  "budget": {"$ref":"#/components/schemas/BudgetText"}, "kind": {"enum":["hard","soft"]}, "unit": {"enum":["nano_usd","tokens"]},
                  "resets_at": {"$ref":"#/components/schemas/Moment"}
                },
                "additionalProperties": {"type":"integer"}
              },
              "KeyUsage": {
                "allOf": [{"$ref":"#/components/schemas/KeyLimits"}], "required": ["object","key","rate","in_progress","spent","budgets"],
                "properties": {
                  "object": {"const":"usage"}, "key": {"type":"string","description":"Its name."},
                  "rate": {
                    "type": "object", "description": "What is limited.",
                    "properties": {"requests":{"$ref":"#/components/schemas/RateStanding"},"tokens":{"$ref":"#/components/schemas/RateStanding"}}
                  },
                  "in_progress": {"type":"integer"},
                  "spent": {
                    "type": ["object","null"], "required": ["hour","day","week","month","total"], "additionalProperties": {"$ref":"#/components/schemas/Spent"},
                    "description": "In the periods that are under way, by `timezone`; null where nobody counts."
                  },
                  "budgets": {
                    "type": "array",
                    "items": {"$ref":"#/components/schemas/BudgetStanding"}
                  }
                }
              },
              "LedgerTable": {
                "type": "object", "required": ["object","subject","from","to","rows"],
                "properties": {
                  "object": {"const":"ledger.table"}, "subject": {"enum":["summary","days","keys","models","accounts","failures"]},
                  "from": {"$ref":"#/components/schemas/Instant"}, "to": {"$ref":"#/components/schemas/Instant"},
                  "rows": {
                    "type": "array", "description": "What is not known is null, never 0.",
                    "items": {"type":"object","additionalProperties":{"type":["string","number","null"]}}
                  }
                }
              },
              "OperatorSession": {
                "type": "object", "required": ["role","name","local","expires_at"],
                "properties": {
                  "role": {"enum":["viewer","admin"]}, "name": {"type":"string","description":"Of the key."},
                  "local": {"type":"boolean","description":"The operator on the machine itself, who needs no key."},
                  "expires_at": {"$ref":"#/components/schemas/Moment"}
                }
              },
              "DashboardState": {
                "type": "object",
                "required": [
                  "at", "version", "mode", "strategy", "started_at", "draining", "level", "serving", "total", "totals", "running", "recent", "ledger", "alerts",
                  "warnings", "cluster", "upstreams"
                ],
                "properties": {
                  "at": {"$ref":"#/components/schemas/Instant"}, "version": {"type":"string"}, "mode": {"$ref":"#/components/schemas/Mode"},
                  "strategy": {"enum":["round_robin","weighted","least_connections"]}, "started_at": {"$ref":"#/components/schemas/Instant"},
                  "draining": {"type":"boolean"}, "level": {"enum":["ok","degraded","down","draining","empty"]},
                  "serving": {"type":"integer","description":"Upstreams that may be asked now."}, "total": {"type":"integer","description":"Upstreams that are switched on."},
                  "totals": {"type":"object","additionalProperties":{"type":"integer"}},
                  "running": {"type":"array","maxItems":100,"items":{"type":"object","required":["id","at","path","key","phase"]},"description":"The newest first."},
                  "recent": {"type":"array","maxItems":100,"items":{"type":"object","required":["id","at","path","key","status"]},"description":"The newest first."},
                  "ledger": {
                    "type": "object", "required": ["on","pending","dropped","problem"],
                    "properties": {"on":{"type":"boolean"},"pending":{"type":"integer"},"dropped":{"type":"integer"},"problem":{"type":["string","null"]}}
                  },
                  "alerts": {"type":"array","maxItems":20,"items":{"$ref":"#/components/schemas/Alert"},"description":"The newest first."},
                  "warnings": {"type":"array","items":{"type":"string"}},
                  "cluster": {
                    "type": ["object","null"], "description": "How this instance stands with others (`shared_state`); null where it is alone.",
                    "required": ["state","problem","count","instances"],
                    "properties": {
                      "state": {"enum":["pending","shared","learning","degraded"]},
                      "problem": {"type":["string","null"],"description":"Why the engine does not help."},
                      "count": {"type":"integer","description":"Instances that limits are divided among."},
                      "instances": {
                        "type": "array", "description": "Those that have said something of late.",
                        "items": {
                          "type": "object", "required": ["id","name","is_this","status","version","started_at","in_flight"],
                          "properties": {
                            "id": {"type":"string"}, "name": {"type":"string","description":"Of the host, and the port."}, "is_this": {"type":"boolean"},
                            "status": {"enum":["healthy","degraded","unhealthy","draining","starting"]}, "version": {"type":"string"},
                            "started_at": {"$ref":"#/components/schemas/Instant"}, "in_flight": {"type":"integer"}
                          }
                        }
                      }
                    }
                  },
                  "upstreams": {
                    "type": "array", "description": "Each with the members that `/stats/accounts` has, and these.",
                    "items": {
                      "type": "object", "required": ["id","state","until","rate_limited_last_minute","tokens_per_second","learnt_limit"],
                      "properties": {
                        "id": {"type":"string"}, "state": {"enum":["ready","full","cooling","open","half_open","unhealthy","disabled","unusable"]},
                        "until": {"$ref":"#/components/schemas/Moment"}, "rate_limited_last_minute": {"type":"integer"},
                        "tokens_per_second": {"type":["number","null"]}, "learnt_limit": {"type":["integer","null"]}
                      }
                    }
                  }
                }
              },
              "Alert": {
                "type": "object", "required": ["type","subject","at","message"], "description": "As `alert_webhook` gets it, with figures by their names.",
                "properties": {
                  "type": {"enum":["budget_soft","budget_hard","upstream_down","all_down","model_retiring","certificate","ledger"]},
                  "subject": {"type":"string"}, "at": {"$ref":"#/components/schemas/Instant"}, "message": {"type":"string"}
                }
              },
              "HealthStrips": {
                "type": "object", "required": ["to","minutes","upstreams"],
                "properties": {
                  "to": {"$ref":"#/components/schemas/Instant"}, "minutes": {"type":"integer"},
                  "upstreams": {
                    "type": "object", "additionalProperties": {"type":"string","pattern":"^[.rcou]*$"},
                    "description": "A letter a minute, the oldest first: `.` was not there yet, `r` ready, `c` cooled down, `o` had an open breaker, `u` failed its health checks; of several the worst."
                  }
                }
              },
              "DashboardModels": {
                "type": "object", "required": ["models"],
                "properties": {"models": {"type": "array", "items": {
                  "type": "object",
                  "required": [
                    "id", "model_id", "provider", "upstreams", "price", "price_source", "retires_at", "retirement_note", "successor", "context_window", "rescue",
                    "refused_parameters", "fallbacks"
                  ],
                  "properties": {
                    "id": {"type":"string"}, "model_id": {"type":"string"}, "provider": {"type":["string","null"]}, "upstreams": {"type":"array","items":{"type":"string"}},
                    "price": {"type":["string","null"]}, "price_source": {"type":["string","null"]}, "retires_at": {"$ref":"#/components/schemas/Moment"},
                    "retirement_note": {"type":["string","null"]}, "successor": {"type":["string","null"]}, "context_window": {"type":["integer","null"]},
                    "rescue": {"type":"boolean","description":"A stream that breaks off may be gone on with by another upstream."}, "refused_parameters": {"type":"array","items":{"type":"string"}},
                    "fallbacks": {"type":"array","items":{"type":"string"}}
                  }
                }}}
              },
              "DashboardUsage": {
                "type": "object", "required": ["keys"],
                "properties": {"keys": {"type": "array", "items": {
                  "type": "object", "required": ["name","running","day","month","budgets"],
                  "properties": {
                    "name": {"type":"string"}, "running": {"type":"integer"}, "day": {"$ref":"#/components/schemas/Spent"}, "month": {"$ref":"#/components/schemas/Spent"},
                    "budgets": {"type":"array","items":{"$ref":"#/components/schemas/BudgetStanding"}}
                  }
                }}}
              },
              "RequestStory": {
                "type": "object",
                "required": [
                  "object", "id", "at", "source", "running", "path", "key", "dialect", "model", "served_model", "upstream", "error", "fallback", "rescued", "stream", "status",
                  "client_left", "wait_ms", "first_token_ms", "total_ms", "tokens_prompt", "tokens_completion", "tokens_cached", "tokens_reasoning", "cost_nano_usd", "truth",
                  "events"
                ],
                "properties": {
                  "object": {"const":"request.story"}, "id": {"type":"string"}, "at": {"$ref":"#/components/schemas/Instant"},
                  "source": {"enum":["memory","ledger"]}, "running": {"type":"boolean"}, "path": {"type":"string"}, "key": {"type":"string","description":"Its name."},
                  "status": {"type":["integer","null"],"description":"null while it runs."}, "stream": {"type":"boolean"}, "client_left": {"type":"boolean"},
                  "truth": {"enum":["reported","estimated","unknown"]},
                  "events": {
                    "type": "array", "description": "In the order in which they happened. Times are milliseconds since the request arrived, but for `wait_ms`.",
                    "items": {
                      "type": "object", "required": ["type"],
                      "properties": {
                        "type": {"enum":["passed_over","waited","paused","refused","attempt","successor","fallback","gave_up","rescue"]},
                        "call": {"type":"integer","description":"Which of the parts of a request that run side by side."},
                        "upstreams": {
                          "type": "array", "description": "Of `passed_over`: who could have been asked and was not.",
                          "items": {
                            "type": "object", "required": ["id","of_model","reason","until","text"],
                            "properties": {
                              "id": {"type":"string"}, "of_model": {"type":"boolean","description":"It is the model's own state there."},
                              "reason": {"enum":["available","full","unhealthy","cooling_down","breaker_open","probing","has_failed","not_chosen"]},
                              "until": {"$ref":"#/components/schemas/Moment"}, "text": {"type":"string"}
                            }
                          }
                        }
                      }
                    }
                  }
                }
              },
              "LedgerRequests": {
                "type": "object", "required": ["object","from","to","rows","next"],
                "properties": {
                  "object": {"const":"ledger.requests"}, "from": {"$ref":"#/components/schemas/Instant"}, "to": {"$ref":"#/components/schemas/Instant"},
                  "rows": {
                    "type": "array", "description": "As the lines of an export with `level=request`.",
                    "items": {"type":"object","required":["id","at","status"],"additionalProperties":{"type":["string","number","boolean","null"]}}
                  },
                  "next": {"type":["string","null"]}
                }
              },
              "AccountStatistics": {
                "type": "object", "required": ["mode","strategy","total_accounts","healthy_accounts","accounts"],
                "properties": {
                  "mode": {"$ref":"#/components/schemas/Mode"}, "strategy": {"enum":["round_robin","weighted","least_connections"]},
                  "total_accounts": {"type":"integer"}, "healthy_accounts": {"type":"integer"},
                  "accounts": {
                    "type": "array",
                    "items": {
                      "type": "object",
                      "required": [
                        "id", "kind", "region", "endpoint", "enabled", "healthy", "weight", "max_concurrency", "in_flight", "requests_total", "requests_succeeded",
                        "requests_failed", "rate_limited_total", "cancelled_total", "consecutive_failures", "cooling_until", "tokens", "latency_ms", "first_token_ms",
                        "last_error", "last_health_check", "circuit_breaker", "models", "models_unwell"
                      ],
                      "properties": {
                        "id": {"type":"string"}, "kind": {"enum":["oci","openai"]}, "region": {"type":["string","null"]}, "endpoint": {"type":["string","null"]},
                        "enabled": {"type":"boolean"}, "healthy": {"type":"boolean"}, "cooling_until": {"$ref":"#/components/schemas/Moment"},
                        "latency_ms": {"$ref":"#/components/schemas/Percentiles"}, "first_token_ms": {"$ref":"#/components/schemas/Percentiles"},
                        "last_error": {
                          "type": ["object","null"], "required": ["at","status","code","message"],
                          "properties": {
                            "at": {"$ref":"#/components/schemas/Moment"}, "status": {"type":["integer","null"]}, "code": {"type":"string"}, "message": {"type":"string"}
                          }
                        },
                        "last_health_check": {
                          "type": ["object","null"], "required": ["at","ok","latency_ms"],
                          "properties": {"at":{"$ref":"#/components/schemas/Instant"},"ok":{"type":"boolean"},"latency_ms":{"type":"integer"}}
                        },
                        "circuit_breaker": {"$ref":"#/components/schemas/BreakerState"}, "models": {"type":"array","items":{"type":"string"}},
                        "models_unwell": {"$ref":"#/components/schemas/UnwellModels"}, "tokens": {"$ref":"#/components/schemas/Tokens"}
                      },
                      "additionalProperties": {"type":"integer"}
                    }
                  }
                }
              },
              "Permits": {
                "type": "object", "required": ["max","in_flight","available","peak"],
                "properties": {"id":{"type":"string"}},
                "additionalProperties": {"type":"integer"}
              },
              "ConcurrencyStatistics": {
                "type": "object", "required": ["global","accounts"],
                "properties": {
                  "global": {"$ref":"#/components/schemas/Permits"},
                  "accounts": {"type":"array","items":{"allOf":[{"$ref":"#/components/schemas/Permits"}],"required":["id"]}}
                }
              },
              "BreakerStatistics": {
                "type": "object", "required": ["config","accounts"],
                "properties": {
                  "config": {
                    "type": "object", "required": ["max_failures","reset_timeout_ms","failure_rate","min_requests"],
                    "properties": {"failure_rate":{"type":"number"}},
                    "additionalProperties": {"type":"integer"}
                  },
                  "accounts": {
                    "type": "array",
                    "items": {
                      "type": "object",
                      "required": [
                        "id", "state", "consecutive_failures", "window_requests", "window_failures", "failure_rate", "opened_at", "retry_at", "opened_total",
                        "models_unwell"
                      ],
                      "properties": {
                        "id": {"type":"string"}, "state": {"$ref":"#/components/schemas/BreakerState"}, "failure_rate": {"type":"number"},
                        "opened_at": {"$ref":"#/components/schemas/Moment"}, "retry_at": {"$ref":"#/components/schemas/Moment"},
                        "models_unwell": {"$ref":"#/components/schemas/UnwellModels"}
                      },
                      "additionalProperties": {"type":"integer"}
                    }
                  }
                }
              },
              "QueueStatistics": {
                "type": "object", "required": ["size","depth","peak","enqueued_total","rejected_total","timed_out_total","cancelled_total","wait_ms"],
                "properties": {"wait_ms":{"$ref":"#/components/schemas/Percentiles"}},
                "additionalProperties": {"type":"integer"}
              },
              "Tokens": {"type":"object","required":["prompt","completion","total"],"additionalProperties":{"type":"integer"}},
              "TextUsage": {
                "type": "object", "required": ["prompt_tokens","total_tokens"],
                "properties": {"prompt_tokens":{"type":"integer"},"total_tokens":{"type":"integer"}}
              },
              "OwnToolType": {"anyOf":[{"enum":["custom",null]},{"type":"string","pattern":"^(bash|text_editor|memory)_"}]},
              "Sampling": {"properties": {
                "temperature": {"type":["number","null"],"description":"Clamped to what the model takes, as all numbers that only tune."},
                "top_p": {"type":["number","null"]}, "presence_penalty": {"type":["number","null"]}, "frequency_penalty": {"type":["number","null"]},
                "seed": {"type":["integer","null"]}, "n": {"type":["integer","null"],"minimum":1,"maximum":128},
                "stop": {"type":["string","array","null"],"items":{"type":"string"},"description":"Texts that end the answer. Empty ones count for nothing."},
                "logit_bias": {"type":["object","null"],"additionalProperties":{"type":"number"}}
              }}
            }
          }
        }
        """##
}
