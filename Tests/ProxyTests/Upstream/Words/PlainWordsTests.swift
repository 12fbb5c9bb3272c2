import Testing

@testable import Proxy

@Suite struct PlainWordsTests {
    @Test(arguments: [
        ("The model `x y` Does not\n exist", "the model ~ does not exist"), ("Invalid model: foo", "invalid model foo"),
        ("You don't and don’t", "you don't and don't"),
        ("say “it's so” and 'that's it'.", "say ~ and ~."), (#"("a") ['b']"#, "(~) [~]"),
        ("an open 'quote of mine", "an open quote of mine"), ("模型'x'不存在", "模型'x'不存在"), ("", ""), ("'", ""),
        ("a: b:c", "a b:c"), ("5' 6\" tall", "5' 6 tall"),
    ])
    func `Keeps what the upstream says itself`(message: String, plain: String) {
        #expect(String(decoding: PlainWords(message).bytes, as: UTF8.self) == plain)
    }

    @Test func `Many open quotes cost no more than one`() {
        let message = String(repeating: "'a \"b `c ", count: 200_000)
        #expect(PlainWords(message).bytes.count < PlainWords.limit)
    }

    @Test(arguments: [
        ("model * is gone", "the model x-1 is gone", true), ("model * is gone", "the model x-1 1.0 is gone", true),
        ("model * is gone", "the model 'x' is gone", true),
        ("model * is gone", "the model parameter is gone", false),
        ("model * is gone", "the model x-1 of mine is gone", false), ("model * is gone", "model x-1", false),
        ("model *", "model x-1.", true),
        ("model *", "model x.", false), ("throttl", "it is throttled", true), ("throttl", "athrottl", false),
        ("余额不足", "您的余额不足", true), ("a b", "a  b", true), ("a b", "ab", false),
    ])
    func `Phrases begin where words do`(phrase: String, message: String, isThere: Bool) {
        var found: Set<RefusalWords.Subject> = []
        PlainWords(message).matches(of: PhraseIndex([(phrase, .model)]), into: &found)
        #expect(found == (isThere ? [.model] : []))
    }

    /// A row that is not written as messages are read is never found.
    @Test func `Every row is written as it is looked for`() {
        var seen: Set<String> = []
        for (phrase, _) in RefusalWords.phrases.flatMap(\.rows) {
            let written = phrase.replacing("*", with: "x-1")
            #expect(
                String(decoding: PlainWords(written).bytes, as: UTF8.self) == written && seen.insert(phrase).inserted)
        }
        for (code, _) in RefusalWords.codes.flatMap(\.rows) {
            #expect(code == code.lowercased() && seen.insert("code " + code).inserted)
        }
    }
}
