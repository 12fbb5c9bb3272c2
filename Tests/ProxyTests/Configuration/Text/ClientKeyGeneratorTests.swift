import ProxyTestSupport
import Testing

@testable import Proxy

@Suite struct ClientKeyGeneratorTests {
    static let key = Secret("0123456789abcdef0123456789abcdef")

    static func insert(_ text: String) -> String {
        String(decoding: ClientKeyGenerator.insert(key, into: Array(text.utf8)), as: UTF8.self)
    }

    /// `<key>` stands for the key.
    @Test(arguments: [
        ("api_key = auto_generated_key\n", "api_key = <key>\n"),
        ("api_key=auto_generated_key", "api_key=<key>"),
        ("API_KEY = \"auto_generated_key\" # mine\r\n", "API_KEY = \"<key>\" # mine\r\n"),
        ("api_key = ''\n", "api_key = '<key>'\n"),
        ("api_key =\n", "api_key = <key>\n"),
        ("api_key=", "api_key= <key>"),
        ("api_key = # set me\n", "api_key = <key> # set me\n"),
        ("api_key =\t; set me\r\nport = 1\r\n", "api_key = <key>\t; set me\r\nport = 1\r\n"),
        ("api_key = a, auto_generated_key ,b\n", "api_key = a, <key> ,b\n"),
        ("api_key = ,\n", "api_key = <key>\n"),
        ("a = 1\n[DEFAULT]\napi_key = Auto_Generated_Key ; x\n", "a = 1\n[DEFAULT]\napi_key = <key> ; x\n"),
        ("api_key = x\napi_key = auto_generated_key\n", "api_key = x\napi_key = <key>\n"),
        ("", "api_key = <key>\n"),
        ("\u{FEFF}", "\u{FEFF}api_key = <key>\n"),
        ("# title\n", "# title\napi_key = <key>\n"),
        ("# title", "# title\napi_key = <key>"),
        ("a = 1", "a = 1\napi_key = <key>"),
        ("a = 1\r\nb = 2", "a = 1\r\nb = 2\r\napi_key = <key>"),
        ("# t\n[GLOBAL]\nport = 1\n", "# t\napi_key = <key>\n[GLOBAL]\nport = 1\n"),
        ("\u{FEFF}[GLOBAL]\r\n", "\u{FEFF}api_key = <key>\r\n[GLOBAL]\r\n"),
        ("a = 1 # c\n\n# about global\n[GLOBAL]\n", "a = 1 # c\napi_key = <key>\n\n# about global\n[GLOBAL]\n"),
        ("[GLOBAL]\napi_key = auto_generated_key\n", "api_key = <key>\n[GLOBAL]\napi_key = auto_generated_key\n"),
    ])
    func `Puts the key where it belongs`(before: String, after: String) {
        #expect(Self.insert(before) == after.replacing("<key>", with: Self.key.reveal()))
    }

    @Test func `A key is 32 hex digits and no two are equal`() {
        let keys = (0..<100).map { _ in ClientKeyGenerator.makeKey().reveal() }
        #expect(Set(keys).count == 100)
        #expect(keys.allSatisfy { $0.count == 32 && $0.allSatisfy { "0123456789abcdef".contains($0) } })
    }

    @Test func `The key uses every bit of the source`() {
        struct Fixed: RandomNumberGenerator {
            let value: UInt64
            mutating func next() -> UInt64 { value }
        }
        var zeros = Fixed(value: 0)
        var ones = Fixed(value: .max)
        #expect(ClientKeyGenerator.makeKey(using: &zeros).reveal() == String(repeating: "0", count: 32))
        #expect(ClientKeyGenerator.makeKey(using: &ones).reveal() == String(repeating: "f", count: 32))
    }

    /// Random files around a random form of the key: taking the key out again gives back the old file, and the new one
    /// reads as the old one but for the key.
    @Test(arguments: 0..<50)
    func `Every other byte stays`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        for _ in 0..<20 {
            let old = Self.randomFile(using: &random)
            let new = ClientKeyGenerator.insert(Self.key, into: old)
            let common = zip(old, new).prefix { $0 == $1 }.count
            let tail = zip(old.reversed(), new.reversed()).prefix { $0 == $1 }.count
            // All that was removed lies between the common head and tail, and is a placeholder or nothing.
            let removed =
                old.count > common + tail ? String(decoding: old[common..<(old.count - tail)], as: UTF8.self) : ""
            #expect(ClientKeyGenerator.placeholder.contains(removed.lowercased()))
            let inserted = String(decoding: new, as: UTF8.self)
            #expect(inserted.contains(Self.key.reveal()))

            let before = ConfigurationFixture.read(old)
            let after = ConfigurationFixture.read(new)
            #expect(before.settings?.needsGeneratedKey == true)
            var settings = try #require(after.settings)
            #expect(settings.clientKeys.map(\.name) == ["default"])
            #expect(settings.clientKeys.map(\.value) == [Self.key])
            #expect(!settings.needsGeneratedKey)
            #expect(after.errors.isEmpty)
            settings.clientKeys = []
            settings.needsGeneratedKey = true
            #expect(settings.server == before.settings?.server)
            #expect(settings.models.map(\.name) == before.settings?.models.map(\.name))
            #expect(ConfigurationFixture.identity(of: settings)?.user == "ocid1.user.oc1..u")
        }
    }

    private static func randomFile(using random: inout SplitMix64) -> [UInt8] {
        let end = Bool.random(using: &random) ? "\r\n" : "\n"
        let forms = [
            "api_key = auto_generated_key", "api_key=auto_generated_key", "Api_Key =  'auto_generated_key'  # c",
            "api_key =", "api_key =   ; comment", "api_key = \"\"", nil,
        ]
        var lines = ConfigurationFixture.identity().split(separator: "\n").map(String.init)
        lines += ["# comment", "", "port = \(Int.random(in: 0...65535, using: &random))", "; ünïcode", "\t"]
        if let form = forms.randomElement(using: &random) ?? nil { lines.append(form) }
        lines.shuffle(using: &random)
        if Bool.random(using: &random) { lines.insert("[DEFAULT]", at: 0) }
        if Bool.random(using: &random) { lines += ["", "# models", "[MODELS]", "m\(random.next() % 9) = a.b # c", ""] }
        let text = (Bool.random(using: &random) ? "\u{FEFF}" : "") + lines.joined(separator: end)
        return Array((text + (Bool.random(using: &random) ? end : "")).utf8)
    }
}
