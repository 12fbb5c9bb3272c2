import Testing

@testable import Proxy

@Suite struct OCIConfigFileTests {
    private func values(_ text: String, _ profile: String) -> [String: String]? {
        OCIConfigFile(Array(text.utf8)).profile(profile)?.mapValues(\.value)
    }

    @Test(arguments: ["\n", "\r\n"])
    func `Profiles inherit from default`(newline: String) {
        let text = ["[DEFAULT]", "user = a", "region = r", "[P]", "region: s", "[Q]"].joined(separator: newline)
        #expect(values(text, "P") == ["user": "a", "region": "s"])
        #expect(values(text, "Q") == ["user": "a", "region": "r"])
        #expect(values(text, "DEFAULT") == ["user": "a", "region": "r"])
        #expect(values(text, "R") == nil)
        #expect(values("[P]\nx = 1", "DEFAULT") == nil)
    }

    @Test func `Comments stand on lines of their own`() {
        let text = "\u{FEFF}# x\n[P] \n; y\n  Pass_Phrase = a # b ; c \nnonsense\nempty =\n"
        #expect(values(text, "P") == ["pass_phrase": "a # b ; c"])
        #expect(OCIConfigFile(Array(text.utf8)).profile("P")?["pass_phrase"]?.line == 4)
        #expect(values(text, "p") == nil)
    }

    /// Messages name profiles and values.
    @Test func `What moves a cursor is no name and no value`() {
        let text = "[P]\nuser = a\u{1B}[2J\nregion = r\ttab\n[\u{0}Q]\nregion = s\n"
        #expect(values(text, "P") == ["region": "r\ttab"])
        #expect(OCIConfigFile(Array(text.utf8)).profiles == ["P"])
    }
}
