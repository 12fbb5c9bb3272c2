import Testing

@testable import Proxy

@Suite struct JSONLookupTests {
    private func root(_ text: String) throws -> JSONValue { try JSONDocument(parsing: Array(text.utf8)).root }

    @Test func namesAreComparedAsTheyAreMeant() throws {
        #expect(try root(#"{"mess\u0061ge":1}"#)["message"]?.int == 1)
        #expect(try root(#"{"messag":1,"messages":2,"Message":3,"":4}"#)["message"] == nil)
        #expect(try root(#"{"messag":1,"messages":2,"Message":3,"":4}"#)[""]?.int == 4)
        #expect(try root(#"{"a":1,"\u0061":2}"#)["a"]?.int == 2)
    }

    @Test func onlyTheObjectsOwnMembersAreFound() throws {
        let value = try root(#"{"outer":{"inner":{"x":1}},"list":[{"x":2}],"after":{"x":3}}"#)
        #expect(value["x"] == nil && value["inner"] == nil)
        #expect(value["outer"]?["x"] == nil && value["outer"]?["after"] == nil)
        #expect(value["outer"]?["inner"]?["x"]?.int == 1)
        #expect(value["after"]?["x"]?.int == 3)
    }

    @Test(arguments: ["[]", "7", "\"a\"", "null", "{}", "[\"a\",1]"])
    func otherKindsHaveNoMembers(text: String) throws {
        #expect(try root(text)["a"] == nil)
    }
}
