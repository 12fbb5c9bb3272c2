import ProxyRouting

/// The chunks of a stream gathered into the one document that was asked for, for upstreams that give a stream all the same.
///
/// It takes the chunks as a client would get them, so whatever speaks against an answer has been said before.
struct GatheredResponse {
    private var id: [UInt8]?
    private var created: Int?
    /// What else the answer says of itself, as it was said first.
    private var further: [(name: String, value: [UInt8])] = []
    private var known: Set<String> = ["id", "object", "created", "model", "choices", "usage", "error", "obfuscation"]
    /// The last one counts.
    private var usage: [UInt8]?
    private var choices: [Int: Choice] = [:]

    /// - Parameter frames: the events of a whole stream.
    init(_ frames: [UInt8]) {
        var blocks = EventBlocks(limit: .max)
        blocks.feed(frames)
        while let block = (try? blocks.next()) ?? blocks.end() {
            guard let data = block.data else { continue }
            var text = Array(blocks.bytes[data])
            if block.hasFurtherData {
                text = Array(blocks.dataLines(of: block).map { blocks.bytes[$0.data] }.joined(separator: [0x0A]))
            }
            guard let root = try? JSONDocument(parsing: text).root, root.kind == .object else { continue }
            take(root)
        }
    }

    private mutating func take(_ chunk: JSONValue) {
        if id == nil, let raw = chunk["id"]?.rawString, !raw.isEmpty { id = Array(raw) }
        if created == nil, let instant = chunk["created"]?.int, instant > 0 { created = instant }
        if let counts = chunk.present("usage") { usage = Array(counts.raw) }
        for (key, value) in chunk.members where !value.isNull {
            guard let name = key.string, known.insert(name).inserted else { continue }
            further.append((name, Array(value.raw)))
        }
        for (position, choice) in chunk.elements(of: "choices").enumerated() where choice.kind == .object {
            choices[choice["index"]?.int ?? position, default: Choice()].take(choice)
        }
    }

    /// The document.
    ///
    /// - Parameters:
    ///   - model: the name that the client sent.
    ///   - envelope: its id and time are used where the chunks have none.
    func answer(model: String, in envelope: ChunkEnvelope) -> ClientResponse {
        let id = id.map { JSONString.decode($0[...]) } ?? envelope.id
        var writer = JSONWriter(capacity: 4096)
        writer.beginObject()
        writer.key("id")
        writer.string(id)
        writer.key("object")
        writer.string(literal: "chat.completion")
        writer.key("created")
        writer.int(created ?? envelope.created)
        writer.key("model")
        writer.string(model)
        writer.key("choices")
        writer.beginArray()
        for (index, choice) in choices.sorted(by: { $0.key < $1.key }) {
            choice.write(as: index, answer: .given(id), to: &writer)
        }
        writer.endArray()
        if let usage {
            writer.key("usage")
            writer.raw(usage[...])
        }
        for (name, value) in further {
            writer.key(name)
            writer.raw(value[...])
        }
        writer.endObject()
        return ClientResponse(
            body: writer.bytes, usage: usage.flatMap { TokenUsage(openAI: try? JSONDocument(parsing: $0).root) })
    }
}

extension GatheredResponse {
    fileprivate struct Choice {
        private let message = GatheredValue()
        private let logprobs = GatheredValue()
        private var calls = GatheredCalls()
        private var reason: [UInt8]?
        /// What else it says, as it was said last.
        private var further: [(name: String, value: [UInt8])] = []

        mutating func take(_ choice: JSONValue) {
            // Some put the whole message into a single event.
            if let delta = choice.present("delta") ?? choice.present("message") {
                for (key, value) in delta.members {
                    if key.equals("tool_calls") { calls.take(value) } else { message.take(value, as: key) }
                }
            }
            if let told = choice["finish_reason"], told.isEmptyString == false { reason = Array(told.raw) }
            if let columns = choice.present("logprobs") { logprobs.take(columns) }
            for (key, value) in choice.members where !value.isNull {
                guard !["index", "delta", "message", "finish_reason", "logprobs"].contains(where: { key.equals($0) }),
                    let name = key.string
                else { continue }
                if let place = further.firstIndex(where: { $0.name == name }) {
                    further[place].value = Array(value.raw)
                } else {
                    further.append((name, Array(value.raw)))
                }
            }
        }

        func write(as index: Int, answer: ResponseID, to writer: inout JSONWriter) {
            writer.beginChoice(index)
            if let role = message["role"]?.text, !role.isEmpty {
                writer.string(escaped: role[...])
            } else {
                writer.string(literal: "assistant")
            }
            writer.key("content")
            if let content = message["content"], !content.isHollow {
                content.write(to: &writer)
            } else if !calls.isEmpty || message["refusal"]?.isHollow == false {
                writer.null()
            } else {
                writer.string(literal: "")
            }
            if message["refusal"]?.isNothing != false {
                writer.key("refusal")
                writer.null()
            }
            message.writeMembers(but: ["role", "content"], to: &writer)
            calls.write(choice: index, answer: answer, to: &writer)
            writer.endObject()
            writer.key("logprobs")
            logprobs.write(to: &writer)
            writer.key("finish_reason")
            if let reason {
                writer.raw(reason[...])
            } else {
                writer.string(literal: calls.isEmpty ? "stop" : "tool_calls")
            }
            for (name, value) in further {
                writer.key(name)
                writer.raw(value[...])
            }
            writer.endObject()
        }
    }
}

/// The tool calls of one choice. They are numbered, but some upstreams give all the same number, and some none.
private struct GatheredCalls {
    private struct Call {
        var id: String?
        let value = GatheredValue()
    }

    private var calls: [Call] = []
    private var numbered: [Int: Int] = [:]

    var isEmpty: Bool { calls.isEmpty }

    mutating func take(_ list: JSONValue) {
        for entry in list.elements where entry.kind == .object {
            let id = entry["id"]?.string.flatMap { $0.isEmpty ? nil : $0 }
            let position = position(of: entry, id: id)
            if calls[position].id == nil { calls[position].id = id }
            calls[position].value.take(entry)
        }
    }

    private mutating func position(of entry: JSONValue, id: String?) -> Int {
        let isNamed = entry["function"]?["name"]?.isEmptyString == false
        var position: Int?
        if let index = entry["index"]?.int {
            position = numbered[index]
            // Another id and a name under a number that has been given: another call.
            if let known = position, isNamed, let id, let before = calls[known].id, before != id { position = nil }
            if position == nil { numbered[index] = calls.count }
        } else if let id, let known = calls.lastIndex(where: { $0.id == id }) {
            position = known
        } else if !isNamed, !calls.isEmpty {
            position = calls.count - 1
        }
        if position == nil { calls.append(Call()) }
        return position ?? calls.count - 1
    }

    func write(choice: Int, answer: ResponseID, to writer: inout JSONWriter) {
        guard !calls.isEmpty else { return }
        writer.key("tool_calls")
        writer.beginArray()
        for (position, call) in calls.enumerated() {
            let value = call.value
            writer.beginObject()
            writer.key("id")
            writer.string(call.id ?? answer.inventedCallID(choice: choice, call: position))
            writer.key("type")
            if let type = value["type"]?.text, !type.isEmpty {
                writer.string(escaped: type[...])
            } else {
                writer.string(literal: "function")
            }
            if let function = value["function"], !function.isNothing {
                writer.key("function")
                writer.beginObject()
                writer.key("name")
                writer.string(escaped: (function["name"]?.text ?? [])[...])
                writer.key("arguments")
                if let arguments = function["arguments"]?.text, !arguments.isEmpty {
                    writer.string(escaped: arguments[...])
                } else {
                    writer.string(literal: "{}")
                }
                function.writeMembers(but: ["name", "arguments"], to: &writer)
                writer.endObject()
            }
            value.writeMembers(but: ["index", "id", "type", "function"], to: &writer)
            writer.endObject()
        }
        writer.endArray()
    }
}
