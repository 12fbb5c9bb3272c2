import Testing

@testable import Proxy

@Suite struct ModelMemberTests {
    private func replaced(_ document: String, with name: String = "new") -> String {
        String(decoding: ModelMember.replace(in: Array(document.utf8)[...], with: name), as: UTF8.self)
    }

    @Test(arguments: [
        (#"{"model":"old"}"#, #"{"model":"new"}"#),
        (#"{ "a" : [ ] ,"model"  :  "old" , "b":1}"#, #"{ "a" : [ ] ,"model"  :  "new" , "b":1}"#),
        (
            #"{"mod\u0065l":"old","\u006D\u006f\u0064\u0065\u006c":"old"}"#,
            #"{"mod\u0065l":"new","\u006D\u006f\u0064\u0065\u006c":"new"}"#
        ),
        (#"{"model":null}"#, #"{"model":"new"}"#),
        (#"{"model":{"id":"x"},"n":1}"#, #"{"model":"new","n":1}"#),
        (#"{"model":12.50}"#, #"{"model":"new"}"#),
        (#"{"model":"","model":"o\"ld\\"}"#, #"{"model":"new","model":"new"}"#),
        ("\u{FEFF}{\"model\":\"old\"}\r\n", "\u{FEFF}{\"model\":\"new\"}\r\n"),
        (
            #"{"x":{"model":"a"},"y":["model",{"model":"b"}],"z":"\"model\":\"c\"","model":"old"}"#,
            #"{"x":{"model":"a"},"y":["model",{"model":"b"}],"z":"\"model\":\"c\"","model":"new"}"#
        ),
        (
            #"{"n":1e400,"t":0.10,"s":"\/é\ud800","a":1,"a":2,"model":"old"}"#,
            #"{"n":1e400,"t":0.10,"s":"\/é\ud800","a":1,"a":2,"model":"new"}"#
        ),
    ])
    func `Only the value of the top level member changes`(document: String, expected: String) {
        #expect(replaced(document) == expected)
    }

    @Test(arguments: [
        "", "{}", "[]", #""model""#, "null", #"{"Model":"old"}"#, #"{"model ":"old"}"#, #"["model","old"]"#,
        #"{"x":{"model":"old"}}"#,
        #"{"model":"old""#, #"{"model":"old"}}"#, #"{"model":}"#, #"{"model""#, #"{"model":"old","x":"#,
        "data: {\"model\":\"old\"}", "<html>",
    ])
    func `What has no such member stays as it is`(document: String) {
        #expect(replaced(document) == document)
    }

    @Test func `A name is escaped as JSON asks`() {
        #expect(replaced(#"{"model":"x"}"#, with: "a/\"b\"\\\n\u{1}é") == #"{"model":"a/\"b\"\\\n\u0001é"}"#)
    }

    @Test func `A slice keeps its place`() {
        let bytes = Array(#"data: {"model":"old"} "#.utf8)
        #expect(ModelMember.ranges(in: bytes[6...]) == [15..<20])
    }

    @Test func `Bytes that are no UTF-8 are no document`() {
        let text = Array(#"{"x":""#.utf8) + [0xFF, 0xC0, 0x80] + Array(#"","model":1}"#.utf8)
        #expect(ModelMember.replace(in: text[...], with: "n") == text)
    }

    @Test func `Hostile texts cost no more than their length`() {
        let deep = String(repeating: "[", count: 1_000_000)
        let whole = #"{"x":\#(deep)\#(String(repeating: "]", count: 1_000_000)),"model":1}"#
        #expect(replaced(whole) == whole, "deeper than anything that is read")
        let cut = #"{"x":\#(deep)"#
        #expect(replaced(cut) == cut)
        let escapes = #"{"x":"\#(String(repeating: #"\""#, count: 1_000_000))","model":1}"#
        #expect(replaced(escapes).hasSuffix(#""model":"new"}"#))
        let many = "{" + Array(repeating: #""model":"a""#, count: 100_000).joined(separator: ",") + "}"
        #expect(replaced(many) == many.replacing("\"a\"", with: "\"new\""))
    }
}
