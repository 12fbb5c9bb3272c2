import ProxyRouting

@testable import Proxy

/// The readers of the other client languages: whatever is sent is refused with a client's error, or becomes a chat completion's request that can be read again, and
/// no larger than what was sent allows.
enum DialectTarget {
    static func run(_ bytes: [UInt8]) {
        let seal = ReasoningSeal(secret: Array("a key".utf8))
        let time = TimeSource.system
        let shelf = ResponseStore(time: time).shelf(of: seal.owner)
        let item = ResponseStore.Item(
            id: "msg_1", bytes: Array(#"{"type":"message","role":"user","content":"x"}"#.utf8))
        shelf.keep("resp_1", input: [item], output: [], response: Array("{}".utf8))
        read(bytes) { () throws(Failure) in
            let request = try ResponsesRequest(bytes, unsealing: seal, from: shelf)
            expect(
                (try? JSONDocument(parsing: Array("{\"a\":1".utf8) + request.echo + Array("}".utf8))) != nil,
                "an echo that is no JSON")
            for item in request.items {
                expect((try? JSONDocument(parsing: item.bytes)) != nil, "an item that is no JSON")
            }
            return [request.chat]
        }
        read(bytes) { () throws(Failure) in [try MessagesRequest(bytes, unsealing: seal).chat] }
        read(bytes) { () throws(Failure) in try CompletionsRequest(bytes).chats }
        _ = ResponsesRequest.previous(in: bytes)
        _ = ResponsesRequest.references(in: bytes)
    }

    private static func read(_ bytes: [UInt8], _ reader: () throws(Failure) -> [[UInt8]]) {
        do throws(Failure) {
            for chat in try reader() {
                guard let root = try? RequestField(body: chat), let request = try? PassThroughRequest(root, of: chat)
                else {
                    fatalError("a chat that cannot be read: \(String(decoding: chat, as: UTF8.self))")
                }
                expect(root.member("messages") != nil, "a chat without messages")
                expect(chat.count <= 64 * bytes.count + 8192, "\(chat.count) bytes out of \(bytes.count)")
                var shorter: PassThroughRequest? = request
                for _ in 0..<8 {
                    guard let next = shorter?.withoutOldestMessages() else { break }
                    expect(next.received.count < shorter?.received.count ?? 0, "nothing has gone")
                    shorter = next
                }
                _ = request.marking(lastMessageBy: "prefix")
            }
        } catch {
            let status = OpenAIError(error).status
            expect((400..<500).contains(status), "HTTP \(status): \(error.message)")
        }
    }
}
