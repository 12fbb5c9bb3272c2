import Testing

@testable import Proxy

@Suite struct PromptSizeTests {
    private static let picture = "data:image/png;base64," + String(repeating: "iVBORw0K", count: 500_000)

    private func tokens(_ body: String) throws -> Int64 {
        PromptSize.tokens(of: try RequestField(body: Array(body.utf8)).value)
    }

    private func chat(_ content: String) -> String {
        #"{"model":"m","messages":[{"role":"user","content":\#(content)}]}"#
    }

    @Test(arguments: ["", "hi", "日本語 \\n \\u00e9", String(repeating: "word ", count: 100_000)])
    func `A text is a token for each four bytes of the request`(text: String) throws {
        for body in [chat("\"\(text)\""), chat(#"[{"type":"text","text":"\#(text)"}]"#)] {
            #expect(try tokens(body) == Int64((body.utf8.count + 3) / 4))
        }
    }

    @Test(arguments: [
        #"{"type":"image_url","image_url":{"url":"PICTURE"}}"#, #"{"type":"image_url","image_url":"PICTURE"}"#,
        #"{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}"#,
        #"{"type":"input_image","image_url":"PICTURE"}"#,
        #"{"type":"image","source":{"type":"base64","media_type":"image/png","data":"PICTURE"}}"#,
    ])
    func `A picture is what models take it for, however large it is`(part: String) throws {
        let part = part.replacing("PICTURE", with: Self.picture)
        let without = try tokens(chat(#"[{"type":"text","text":"what is it?"},]"#.replacing(",]", with: "]")))
        let own = try tokens(chat(#"[{"type":"text","text":"what is it?"},\#(part)]"#)) - without
        // What is around its content is read as text.
        #expect((Int64(PromptSize.image)...Int64(PromptSize.image + 30)).contains(own), "\(own)")
        // As a tool's result, and in the Responses API's way.
        let inner = #"[{"type":"tool_result","content":[\#(part),\#(part)]}]"#
        #expect((3000..<3100).contains(try tokens(chat(inner))))
        #expect((1500..<1600).contains(try tokens(#"{"model":"m","input":[{"role":"user","content":[\#(part)]}]}"#)))
    }

    @Test func `Files and sounds go by their size`() throws {
        let data = String(repeating: "abcd", count: 80_000)
        #expect(
            (15_000..<15_100).contains(
                try tokens(chat(#"[{"type":"file","file":{"filename":"a.pdf","file_data":"\#(data)"}}]"#))))
        #expect((1_500..<1_600).contains(try tokens(chat(#"[{"type":"file","file":{"file_id":"file-1"}}]"#))))
        #expect(
            (480..<530).contains(
                try tokens(chat(#"[{"type":"input_audio","input_audio":{"format":"wav","data":"\#(data)"}}]"#))))
        // A document that is a text is read as one.
        #expect(
            try tokens(chat(#"[{"type":"document","source":{"type":"text","data":"\#(data)"}}]"#)) > 80_000)
        #expect(
            try tokens(chat(#"[{"type":"document","source":{"type":"base64","data":"\#(data)"}}]"#)) < 16_000)
    }

    @Test func `A picture that is embedded is one`() throws {
        let body = #"{"model":"m","input_type":"image","input":["\#(Self.picture)"]}"#
        #expect(PromptSize.tokens(ofTextsIn: try RequestField(body: Array(body.utf8)).value) < 1600)
        #expect(PromptSize.tokens(ofTexts: [Array("abcde".utf8)[...], Array(Self.picture.utf8)[...]]) == 1502)
        #expect(PromptSize.characters(ofTexts: [Array("añ".utf8)[...], Array(Self.picture.utf8)[...]]) == 2)
    }

    @Test func `What is written of a picture in words is a text`() throws {
        let body = chat(#""data:image/png is how it begins, and \#(String(repeating: "so on ", count: 1000))""#)
        #expect(try tokens(body) == Int64((body.utf8.count + 3) / 4))
    }

    /// Members that only look like a picture's: the texts beside them are read all the same.
    @Test(arguments: [
        #"{"role":"user","type":"image","content":"TEXT"}"#,
        #"{"role":"user","type":"file","content":[{"type":"text","text":"TEXT"}]}"#,
        #"{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x/y"},"text":"TEXT"}]}"#,
        #"{"role":"user","content":[{"type":"input_audio","text":"TEXT"}]}"#,
        #"{"role":"user","content":"data:image/png;base64,TEXT"}"#,
        #"{"role":"user","content":["data:image/png;base64,TEXT"]}"#,
    ])
    func `What calls itself a picture and is a text is counted as one`(message: String) throws {
        let text = String(repeating: "abcd", count: 50_000)
        let body = #"{"model":"m","messages":[\#(message.replacing("TEXT", with: text))]}"#
        #expect(try tokens(body) >= 50_000)
    }

    @Test func `A picture in a tool's result is one`() throws {
        let part = #"{"type":"image","source":{"type":"base64","media_type":"image/png","data":"\#(Self.picture)"}}"#
        let body = chat(#"[{"type":"tool_result","tool_use_id":"t","content":[\#(part)]}]"#)
        #expect(try tokens(body) < 1700)
        let output =
            #"{"model":"m","input":[{"type":"function_call_output","output":[{"type":"input_image","image_url":"\#(Self.picture)"}]}]}"#
        #expect(try tokens(output) < 1700)
    }

    // MARK: Characters

    @Test func `A text that begins like a picture has characters`() throws {
        let text = "data:" + String(repeating: "x", count: 300) + " and more"
        let body = #"{"model":"m","messages":[{"role":"user","content":"\#(text)"}]}"#
        #expect(try characters(body) == Int64(text.count))
        #expect(PromptSize.characters(ofTexts: [Array(text.utf8)[...]]) == Int64(text.count))
        let schema = #"{"type":"json_schema","json_schema":{"name":"n","schema":{"description":"long"}}}"#
        #expect(
            try characters(#"{"model":"m","response_format":\#(schema),"messages":[]}"#) == Int64(schema.count))
    }

    private func characters(_ body: String) throws -> Int64 {
        PromptSize.characters(ofChat: try RequestField(body: Array(body.utf8)).value)
    }

    @Test(arguments: [
        (#"[{"role":"user","content":"añ😀"}]"#, 3),
        (#"[{"role":"system","content":"a"},{"role":"user","content":[{"type":"text","text":"b\n"}]}]"#, 3),
        (#"[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x/y"}},"bare"]}]"#, 4),
        (
            #"[{"role":"assistant","content":null,"tool_calls":[{"id":"1","function":{"name":"f","arguments":"{\"a\":1}"}}]}]"#,
            8
        ),
        (#"[{"role":"tool","tool_call_id":"1","content":"done"}]"#, 4), (#""odd""#, 0), ("[7,null]", 0),
    ])
    func `Characters are those of the texts that are sent`(messages: String, count: Int64) throws {
        #expect(try characters(#"{"model":"a model","messages":\#(messages)}"#) == count)
        let tools = #"[{"type":"function","function":{"name":"ü"}}]"#
        #expect(
            try characters(#"{"model":"a model","tools":\#(tools),"messages":\#(messages)}"#)
                == count + Int64(tools.unicodeScalars.count))
    }

    @Test(arguments: [
        (#"{"model":"m","input":"añ"}"#, 2), (#"{"model":"m","input":["a","bc"]}"#, 3),
        (#"{"model":"m","query":"q","documents":["one",{"text":"two"}]}"#, 7), (#"{"model":"m"}"#, 0),
    ])
    func `So are those of what is embedded and ranked`(body: String, count: Int64) throws {
        #expect(PromptSize.characters(ofTexts: try RequestField(body: Array(body.utf8)).value) == count)
    }
}
