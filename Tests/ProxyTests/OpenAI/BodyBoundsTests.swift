import Testing

@testable import Proxy
@testable import ProxyRouting

/// What a body is made of is bounded, not only its length.
@Suite struct BodyBoundsTests {
    private func code(of body: [UInt8]) -> String? {
        do {
            _ = try ChatRequest.parse(body)
            return nil
        } catch {
            return error.code
        }
    }

    private func repeated(_ piece: String, _ count: Int, _ before: String, _ after: String) -> [UInt8] {
        Array(before.utf8) + Array(repeatElement(Array(piece.utf8), count: count).joined(separator: ",".utf8))
            + Array(after.utf8)
    }

    @Test(arguments: ["0", "\"\"", "{}", "[]", "null"])
    func `A body of nothing but short values is refused`(value: String) {
        let body = repeated(value, 600_000, #"{"model":"m","messages":[{"role":"user","content":"x"}],"x":["#, "]}")
        #expect(code(of: body) == "too_many_values")
    }

    @Test func `The limit is named and grows with long bodies`() throws {
        #expect(RequestField.mostValues(in: 100) == 524_288)
        #expect(RequestField.mostValues(in: 32 << 20) == 4 << 20)
        let error = #expect(throws: Failure.self) { try RequestField(body: repeated("0", 600_000, "[", "]")) }
        #expect(error?.status == 400 && error?.message.contains("524288") == true)
    }

    @Test func `What is no JSON is said with its place however long`() {
        let body = repeated("0", 600_000, "{\"x\":[", "]")
        #expect(["invalid_json", "too_many_values"].contains(code(of: body)))
        #expect(code(of: Array("{".utf8) + [UInt8](repeating: 0x20, count: 2_000_000)) == "invalid_json")
    }

    @Test func `Messages and parts are bounded`() {
        #expect(
            code(of: repeated(#"{"role":"user","content":"x"}"#, 50_001, #"{"model":"m","messages":["#, "]}"))
                == "too_many_messages")
        #expect(
            code(of: repeated(#"{"role":"user","content":"x"}"#, 50_000, #"{"model":"m","messages":["#, "]}")) == nil)
        let parts = #"{"model":"m","messages":[{"role":"user","content":["#
        #expect(code(of: repeated("\"\"", 50_001, parts, "]}]}")) == "too_many_parts")
        #expect(code(of: repeated("\"\"", 50_000, parts, "]}]}")) == nil)
        let half = String(decoding: repeated("\"\"", 30_000, #"{"role":"user","content":["#, "]}"), as: UTF8.self)
        #expect(code(of: repeated(half, 2, #"{"model":"m","messages":["#, "]}")) == "too_many_parts")
    }

    @Test func `The same values are found with and without a limit`() throws {
        let body = repeated(#"{"a":[1,"x"]}"#, 3000, "[", "]")
        let whole = try JSONDocument(parsing: body).root.elements.reduce(0) { sum, _ in sum + 1 }
        // An array, and of each element an object, a name, an array and its two values.
        let limited = try #require(try JSONDocument.parse(body, upTo: 15_001))
        #expect(whole == 3000 && limited.root.elements.reduce(0) { sum, _ in sum + 1 } == 3000)
        #expect(try JSONDocument.parse(body, upTo: 15_000) == nil)
    }
}
