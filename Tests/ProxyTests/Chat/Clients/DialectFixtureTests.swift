import Foundation
import NIOCore
import NIOHTTP1
import ProxyTestSupport
import TestFixtures
import Testing

@testable import Proxy
@testable import ProxyRouting

/// Each case that real client libraries have accepted: a request in a client's language, what must reach an upstream that speaks chat completions, what it
/// answers, and what the client must get.
@Suite(.timeLimit(.minutes(5))) struct DialectFixtureTests {
    struct Case: CustomTestStringConvertible {
        let name: String
        var testDescription: String { name }
    }

    private static let cases = ["messages", "responses", "completions"].flatMap { folder in
        Fixtures.names(in: "dialects/\(folder)").map { Case(name: "\(folder)/\($0)") }
    }

    @Test(arguments: cases)
    func `A case of the real clients`(_ each: Case) async throws {
        let fixture = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: .fixture("dialects/\(each.name)")))
                as? Golden.Object)
        let upstream = FixtureUpstream(fixture["upstream"] as? Golden.Object)
        let time = ManualTime()
        let store = ResponseStore(time: time.source)
        try keep(fixture["stored"] as? [String: Golden.Object] ?? [:], in: store)
        let door = try FrontDoor.provider(upstream.transport, time: time.source, responses: store)
        var request = try #require(fixture["request"] as? Golden.Object)
        request["model"] = "up/m"
        let path = try #require(fixture["endpoint"] as? String).split(separator: " ")[1]

        let body = sealed(String(decoding: try JSONSerialization.data(withJSONObject: request), as: UTF8.self))
        // Between two attempts there is a pause.
        let clock = Task {
            while !Task.isCancelled {
                time.advance(by: .milliseconds(5))
                await Task.yield()
            }
        }
        defer { clock.cancel() }
        let answer = try await door.answer(.POST, String(path), body)

        let expected = try #require(fixture["answer"] as? Golden.Object)
        #expect(answer.status == expected["status"] as? Int, "\(answer.body)")
        if let events = expected["events"] as? [Golden.Object] {
            let got = try Self.events(of: answer.body).filter { $0["type"] as? String != "ping" }
            let want = events.filter { $0["type"] as? String != "ping" }
            try expectSame(got, want)
            if !path.hasSuffix("/completions") { try checkNames(answer.body) }
        } else {
            let got = try #require(try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? Golden.Object)
            let want = try #require(expected["json"] as? Golden.Object)
            if answer.status >= 400 {
                try expectSame(Self.fault(got), Self.fault(want))
            } else {
                try expectSame(got, want)
            }
        }
        let wanted =
            fixture["chat_requests"] as? [Golden.Object] ?? (fixture["chat_request"] as? Golden.Object).map { [$0] }
            ?? []
        let sent = upstream.transport.requests.filter { $0.method == .POST }.map { Self.withoutModel($0) }
        if wanted.isEmpty { #expect(sent.isEmpty) }
        for want in wanted.map(Self.withoutModel) {
            #expect(sent.contains { $0 == want }, "\(want)\nis not among\n\(sent)")
        }
    }

    // MARK: Comparing

    private func expectSame(_ got: Any, _ want: Any) throws {
        let (got, want) = (try plain(got).split(separator: "\n"), try plain(want).split(separator: "\n"))
        let place =
            zip(got, want).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? min(got.count, want.count)
        let isSame = got == want
        #expect(
            isSame,
            """
            \(got[max(0, place - 5)..<min(got.count, place + 5)].joined(separator: "\n"))
            in place of
            \(want[max(0, place - 5)..<min(want.count, place + 5)].joined(separator: "\n"))
            """)
    }

    /// As text, with keys in order. What is made anew each time is known by its form and by who refers to whom.
    private func plain(_ value: Any) throws -> String {
        var names: [String: String] = [:]
        let value = Self.plain(value, at: "", &names)
        return String(
            decoding: try JSONSerialization.data(
                withJSONObject: value, options: [.sortedKeys, .fragmentsAllowed, .prettyPrinted]), as: UTF8.self)
    }

    private static let free: Set<String> = [
        "created", "created_at", "completed_at", "model", "request_id", "presence_penalty", "frequency_penalty",
    ]

    private static func plain(_ value: Any, at place: String, _ names: inout [String: String]) -> Any {
        if let object = value as? Golden.Object {
            var result: Golden.Object = [:]
            for key in object.keys.sorted() where !free.contains(key) {
                guard let member = object[key] else { continue }
                if key == "message", let text = member as? String {
                    result[key] = !text.isEmpty
                } else if key == "signature" || key == "encrypted_content" {
                    result[key] = (member as? String)?.isEmpty == false
                } else if key == "usage", place == "message_start" {
                    result[key] = "usage"
                } else {
                    result[key] = plain(member, at: key == "message" ? object["type"] as? String ?? key : key, &names)
                }
            }
            return result
        }
        if let list = value as? [Any] { return list.map { plain($0, at: place, &names) } }
        if let text = value as? String, ["id", "item_id", "call_id"].contains(place),
            let prefix = ["msg_", "resp_", "rs_", "fc_", "ctc_", "toolu_", "cmpl-", "req_"].first(where: text.hasPrefix)
        {
            if names[text] == nil { names[text] = "\(prefix)#\(names.count)" }
            return names[text] ?? text
        }
        return value
    }

    private static func events(of text: String) throws -> [Golden.Object] {
        try text.components(separatedBy: "\n\n").compactMap { block in
            let data = block.split(separator: "\n").filter { $0.hasPrefix("data:") }.map {
                $0.dropFirst(5).drop { $0 == " " }
            }.joined(separator: "\n")
            guard !data.isEmpty, data != "[DONE]" else { return nil }
            return try JSONSerialization.jsonObject(with: Data(data.utf8)) as? Golden.Object
        }
    }

    /// Each event has a line with its name, which is that of its data.
    private func checkNames(_ text: String) throws {
        for block in text.components(separatedBy: "\n\n") where !block.isEmpty {
            let lines = block.split(separator: "\n")
            let type = try Self.events(of: block).first?["type"] as? String
            #expect(lines.first.map(String.init) == type.map { "event: \($0)" })
            #expect(lines.count == 2)
        }
    }

    /// Words of the proxy's own are free; type and code are not.
    private static func fault(_ answer: Golden.Object) -> Golden.Object {
        let error = answer["error"] as? Golden.Object ?? [:]
        var fault: Golden.Object = ["isThere": !error.isEmpty]
        for name in ["type", "code", "param", "details"] { fault[name] = error[name] }
        return fault
    }

    /// Arguments are JSON in a string: what blanks are in it is nobody's business.
    private static func withoutModel(_ request: Golden.Object) -> NSDictionary {
        var request = request
        request["model"] = nil
        request["messages"] = (request["messages"] as? [Golden.Object])?.map { message in
            var message = message
            message["tool_calls"] = (message["tool_calls"] as? [Golden.Object])?.map { call in
                var (call, function) = (call, call["function"] as? Golden.Object ?? [:])
                if let text = function["arguments"] as? String {
                    function["arguments"] = try? JSONSerialization.jsonObject(with: Data(text.utf8))
                }
                call["function"] = function
                return call
            }
            return message
        }
        return request as NSDictionary
    }

    private static func withoutModel(_ request: TransportRequest) -> NSDictionary {
        let bytes = request.body.map { Data($0.readableBytesView) } ?? Data()
        return withoutModel((try? JSONSerialization.jsonObject(with: bytes)) as? Golden.Object ?? [:])
    }

    // MARK: What was before

    private func keep(_ stored: [String: Golden.Object], in store: ResponseStore) throws {
        func items(_ value: Any?) throws -> [ResponseStore.Item] {
            try (value as? [Golden.Object] ?? []).map {
                ResponseStore.Item(
                    id: $0["id"] as? String ?? UUID().uuidString,
                    bytes: Array(try JSONSerialization.data(withJSONObject: $0)))
            }
        }
        let owner = ReasoningSeal(secret: Array(FrontDoor.key.utf8)).owner
        for (id, response) in stored {
            store.shelf(of: owner).keep(
                id, input: try items(response["input"]), output: try items(response["output"]),
                response: Array("{}".utf8))
        }
    }

    /// The fixtures' reasoning is only encoded; here it is sealed for the test's key.
    private func sealed(_ request: String) -> String {
        let seal = ReasoningSeal(secret: Array(FrontDoor.key.utf8))
        return request.replacing(/gw1\.([A-Za-z0-9_-]+)/) { match in
            let text = Base64.decode(match.1.utf8).map { String(decoding: $0, as: UTF8.self) } ?? ""
            return seal.seal(ChatDraft.escaped(text))
        }
    }
}

/// A provider that answers as a fixture says.
private struct FixtureUpstream {
    let transport: FakeTransport

    init(_ script: Golden.Object?) {
        let answers = Answers(script)
        transport = FakeTransport { request in answers.next(isStreaming: request.wantsStream, to: request) }
    }

    private final class Answers: Sendable {
        // nonisolated(unsafe): read only.
        nonisolated(unsafe) private let script: Golden.Object

        init(_ script: Golden.Object?) { self.script = script ?? [:] }

        func next(isStreaming: Bool, to request: TransportRequest) -> TransportResponse {
            if let status = script["status"] as? Int {
                var headers: HTTPHeaders = ["content-type": "application/json"]
                for (name, value) in script["headers"] as? [String: String] ?? [:] {
                    headers.add(name: name, value: value)
                }
                return TransportResponse(status: status, headers: headers, body: .fed([Self.text(script["json"])]))
            }
            if let chunks = script["chunks"] as? [Any] {
                var events = chunks.map { "data: \(Self.text($0))\n\n" }
                if script["done"] as? Bool == true { events.append("data: [DONE]\n\n") }
                return TransportResponse(
                    status: 200, headers: ["content-type": "text/event-stream"], body: .fed(events))
            }
            var document = script["json"]
            if let several = script["jsons"] as? [Any] {
                // Each prompt is asked for by itself.
                let asked = request.text
                document = several.count > 1 && asked.contains("Two") ? several[1] : several[0]
            }
            return TransportResponse(
                status: 200, headers: ["content-type": "application/json"], body: .fed([Self.text(document)]))
        }

        private static func text(_ value: Any?) -> String {
            guard let value, let data = try? JSONSerialization.data(withJSONObject: value) else { return "" }
            return String(decoding: data, as: UTF8.self)
        }
    }
}

extension TransportRequest {
    fileprivate var text: String { body.map { String(buffer: $0) } ?? "" }
    fileprivate var wantsStream: Bool { text.contains(#""stream":true"#) }
}
