import ProxyRouting

/// The tools of a Responses request as functions of a chat, and for each function how a call of it is told to the client.
struct ResponsesTools {
    /// What a call is to the client.
    struct Shape: Sendable {
        enum Kind: Sendable { case function, custom, toolSearch, localShell, shell, applyPatch }

        let kind: Kind
        /// Both escaped.
        let name: ArraySlice<UInt8>
        var namespace: ArraySlice<UInt8>?
    }

    /// The functions, written.
    private(set) var functions: [(name: [UInt8], written: [UInt8])] = []
    /// By the function's name.
    private(set) var shapes: [[UInt8]: Shape] = [:]
    /// The first tool that only OpenAI can run.
    private(set) var hosted: (field: RequestField, type: String)?

    /// OpenAI's limit.
    private static let longestName = 64

    mutating func add(_ tools: RequestField?) throws(Failure) {
        guard let tools else { return }
        for tool in try tools.elements() { try add(tool: tool) }
    }

    private mutating func add(tool: RequestField) throws(Failure) {
        guard let type = try tool.object().member("type") else { throw tool.invalid("has no 'type'.") }
        switch try type.string() {
        case "function", "custom": try add(tool, inside: nil)
        case "namespace":
            guard let name = tool.member("name") else { throw tool.invalid("has no 'name'.") }
            let namespace = try name.rawString()
            for inner in try tool.member("tools")?.elements() ?? [] { try add(inner, inside: namespace) }
        case "tool_search" where tool.value["execution"]?.equals("client") == true:
            let parameters = tool.member("parameters")?.value.raw ?? Array(Self.noParameters.utf8)[...]
            add(
                "tool_search", .toolSearch, describedBy: tool.value.present("description"),
                parameters: parameters)
        case "local_shell":
            add("local_shell", .localShell, parameters: Array(Self.localShell.utf8)[...])
        case "shell": add("shell", .shell, parameters: Array(Self.shell.utf8)[...])
        case "apply_patch": add("apply_patch", .applyPatch, parameters: Array(Self.applyPatch.utf8)[...])
        case let other: hosted = hosted ?? (type, other)
        }
    }

    private static let noParameters: StaticString = #"{"type":"object","properties":{}}"#
    private static let localShell: StaticString =
        #"{"type":"object","properties":{"command":{"type":"array","items":{"type":"string"}},"timeout_ms":{"type":"integer"},"working_directory":{"type":"string"}},"required":["command"]}"#
    private static let shell: StaticString =
        #"{"type":"object","properties":{"commands":{"type":"array","items":{"type":"string"}},"timeout_ms":{"type":"integer"}},"required":["commands"]}"#
    private static let applyPatch: StaticString =
        #"{"type":"object","properties":{"operation":{"type":"object","properties":{"type":{"type":"string","enum":["create_file","update_file","delete_file"]},"path":{"type":"string"},"diff":{"type":"string"}},"required":["type","path"]}},"required":["operation"]}"#

    private mutating func add(
        _ name: StaticString, _ kind: Shape.Kind, describedBy description: JSONValue? = nil,
        parameters: ArraySlice<UInt8>
    ) {
        let name = Array(name.utf8)
        var writer = Self.writer(name)
        if let description, description.kind == .string {
            writer.key("description")
            writer.raw(description.raw)
        }
        writer.key("parameters")
        writer.raw(parameters)
        add(writer, Shape(kind: kind, name: name[...]), as: name)
    }

    private mutating func add(_ tool: RequestField, inside namespace: ArraySlice<UInt8>?) throws(Failure) {
        // Some clients send chat completions' form.
        let function = tool.member("function") ?? tool
        guard let name = try function.object().member("name") else { throw function.invalid("has no 'name'.") }
        let own = try name.rawString()
        let flat = Self.flat(own, inside: namespace)
        var writer = Self.writer(flat)
        let isCustom = tool.value["type"]?.equals("custom") == true
        if isCustom {
            try writeCustom(function, to: &writer)
        } else {
            if let description = function.member("description")?.value, description.isEmptyString == false {
                writer.key("description")
                writer.raw(description.raw)
            }
            writer.key("parameters")
            writer.raw(try function.member("parameters")?.object().value.raw ?? Array(Self.noParameters.utf8)[...])
            if function.value["strict"]?.bool == true {
                writer.key("strict")
                writer.bool(true)
            }
        }
        add(writer, Shape(kind: isCustom ? .custom : .function, name: own, namespace: namespace), as: flat)
    }

    /// A tool that takes free text: a function with one string, and the grammar in its description.
    private func writeCustom(_ tool: RequestField, to writer: inout JSONWriter) throws(Failure) {
        var description = tool.member("description")?.value.string ?? ""
        if let format = tool.member("format"), format.value["type"]?.equals("grammar") == true {
            let syntax = format.value["syntax"]?.string ?? "lark"
            description +=
                "\n\nThe input must follow this \(syntax) grammar:\n\(format.value["definition"]?.string ?? "")"
        }
        writer.key("description")
        writer.string(String(description.trimming { $0.isWhitespace }))
        writer.key("parameters")
        writer.raw(
            Array(
                #"{"type":"object","properties":{"input":{"type":"string","description":"The whole input, as plain text."}},"required":["input"],"additionalProperties":false}"#
                    .utf8)[...])
    }

    private static func writer(_ name: [UInt8]) -> JSONWriter {
        var writer = JSONWriter(capacity: 1024)
        writer.beginFunction(named: name[...])
        return writer
    }

    private mutating func add(_ writer: JSONWriter, _ shape: Shape, as name: [UInt8]) {
        // The first of two that share a name counts.
        guard shapes[name] == nil else { return }
        var writer = writer
        writer.endFunction()
        functions.append((name, writer.bytes))
        shapes[name] = shape
    }

    /// The name of a function that stands in a namespace, as chat models know it.
    static func flat(_ name: ArraySlice<UInt8>, inside namespace: ArraySlice<UInt8>?) -> [UInt8] {
        guard let namespace, !namespace.isEmpty else { return Array(name) }
        let joint = namespace.suffix(2).elementsEqual("__".utf8) ? "" : "__"
        let flat = Array(namespace) + Array(joint.utf8) + Array(name)
        guard flat.count > longestName else { return flat }
        // FNV-1a: the same name for the same tool in each request of a conversation.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in flat { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let digits = String(hash & 0xFFFF_FFFF, radix: 16)
        let plain = flat.map { byte -> UInt8 in
            let isPlain = (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
            return isPlain || byte == UInt8(ascii: "-") ? byte : UInt8(ascii: "_")
        }
        return Array(plain.prefix(longestName - 9)) + Array("_".utf8)
            + Array((String(repeating: "0", count: 8 - digits.count) + digits).utf8)
    }

    /// Only the functions of those names stay.
    mutating func keep(only names: Set<[UInt8]>) { functions.removeAll { !names.contains($0.name) } }

    /// The list, as a chat completion's request has it.
    var written: [UInt8] {
        JSONWriter.array(of: functions.map(\.written))
    }
}

extension String {
    fileprivate func trimming(_ isTrimmed: (Character) -> Bool) -> Substring {
        var rest = self[...]
        while let first = rest.first, isTrimmed(first) { rest.removeFirst() }
        while let last = rest.last, isTrimmed(last) { rest.removeLast() }
        return rest
    }
}
