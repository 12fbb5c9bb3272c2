import Testing

@testable import Proxy

@Suite struct JSONLookupTests {
    private func root(_ text: String) throws -> JSONValue { try JSONDocument(parsing: Array(text.utf8)).root }

    @Test func `Names are compared as they are meant`() throws {
        #expect(try root(#"{"mess\u0061ge":1}"#)["message"]?.int == 1)
        #expect(try root(#"{"messag":1,"messages":2,"Message":3,"":4}"#)["message"] == nil)
        #expect(try root(#"{"messag":1,"messages":2,"Message":3,"":4}"#)[""]?.int == 4)
        #expect(try root(#"{"a":1,"\u0061":2}"#)["a"]?.int == 2)
    }

    @Test func `Only the objects own members are found`() throws {
        let value = try root(#"{"outer":{"inner":{"x":1}},"list":[{"x":2}],"after":{"x":3}}"#)
        #expect(value["x"] == nil && value["inner"] == nil)
        #expect(value["outer"]?["x"] == nil && value["outer"]?["after"] == nil)
        #expect(value["outer"]?["inner"]?["x"]?.int == 1)
        #expect(value["after"]?["x"]?.int == 3)
    }

    @Test(arguments: ["[]", "7", "\"a\"", "null", "{}", "[\"a\",1]"])
    func `Other kinds have no members`(text: String) throws {
        #expect(try root(text)["a"] == nil)
    }

    @Test func `Every member of a name is found in its place`() throws {
        let text = #"{"model":"a","x":{"model":1},"mod\u0065l":[2], "model" : null ,"models":3}"#
        let value = try root(text)
        #expect(
            value.places(of: "model").map { String(decoding: Array(text.utf8)[$0], as: UTF8.self) } == [
                #""a""#, "[2]", "null",
            ])
        #expect(
            value.places(of: "model")
                == value.members.compactMap { $0.key.equals("model") ? $0.value.raw.indices : nil })
        #expect(value["x"]?.places(of: "y") == [])
        #expect(try root("[\"model\",1]").places(of: "model") == [])
    }

    @Test(arguments: [
        "0", "-0", "7", "123456", "999999999999999999", "1000000000000000000", "9223372036854775807",
        "9223372036854775808", "-9223372036854775808", "-1",
        "1.0", "1.5", "1e3", "1E-3", "1e400", "000000000000000001e0",
    ])
    func `Whole numbers are read as they are meant`(text: String) throws {
        guard let number = try? root(text) else { return }
        let isInteger = text.utf8.allSatisfy {
            $0 == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
        }
        #expect(number.int == (Int(text) ?? (isInteger ? nil : Double(text).flatMap { Int(exactly: $0) })))
    }
}
