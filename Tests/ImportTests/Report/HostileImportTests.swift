import Testing

@testable import ProxyImport

/// Files that nobody has meant so.
@Suite struct HostileImportTests {
    private struct Dice: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    private static let pieces = [
        ":", "- ", "\n", "  ", "\t", "[", "]", "{", "}", "*a", "&a ", "<<: ", "'", "\"", "#", "|\n", "!!", "%", "null",
        "~", "os.environ/",
        "${", "}", "\u{0}", "é", "=", ",", "1e999", "-1", "---\n",
    ]

    @Test(arguments: ImportFixture.litellm + ["oci-gateway-models.yaml"])
    func `Whatever is put into a file, it is imported or told`(name: String) throws {
        let bytes = try ImportFixture.bytes(name)
        let source = name.hasPrefix("oci") ? ImportSource.ociGateway : .litellm
        var dice = Dice(state: 7)
        for _ in 0..<150 {
            var changed = bytes
            for _ in 0..<Int.random(in: 1...3, using: &dice) {
                let place = Int.random(in: 0..<changed.count, using: &dice)
                switch Int.random(in: 0..<4, using: &dice) {
                case 0: changed[place] = UInt8.random(in: 0...255, using: &dice)
                case 1: changed.removeSubrange(place..<min(place + Int.random(in: 1...30, using: &dice), changed.count))
                case 2:
                    let other = Int.random(in: 0..<changed.count, using: &dice)
                    changed.insert(contentsOf: Array(changed[other..<min(other + 60, changed.count)]), at: place)
                default:
                    changed.insert(contentsOf: Array((Self.pieces.randomElement(using: &dice) ?? "").utf8), at: place)
                }
            }
            do {
                let result = try ConfigurationImport.read(source, file: changed)
                #expect(result.report.rows.allSatisfy { $0.line > 0 && !$0.text.isEmpty })
                // Each line of it is a comment, a section or an entry.
                for line in (result.configuration ?? "").split(separator: "\n") {
                    #expect(line.hasPrefix("#") || line.hasPrefix("[") || line.contains(" = "))
                }
            } catch {
                #expect(!error.fix.isEmpty)
            }
        }
    }

    @Test func `Ten megabytes are imported`() throws {
        var text = "model_list:\n"
        var number = 0
        while text.utf8.count < 10 << 20 {
            number += 1
            text += """
                  - model_name: model-\(number % 5000)
                    litellm_params:
                      model: openai/gpt-\(number % 700)
                      api_key: os.environ/KEY_\(number % 300)
                      rpm: 5

                """
        }
        let result = try ImportFixture.litellm(text)
        #expect(result.report.counts.values.reduce(0, +) == 5 * number + 1)
        #expect(result.section("MODELS").count == 5000)
    }

    @Test func `Thousands of accounts and names cost what they are`() throws {
        var text = "model_list:\n"
        for number in 0..<4000 {
            text +=
                "  - {model_name: m, litellm_params: {model: oci/xai.grok-4, oci_region: us-chicago-1, oci_user: ocid1.user.oc1..u\(number)}}\n"
        }
        let result = try ImportFixture.litellm(text)
        #expect(result.section("ACCOUNT_4000").contains("id = us-chicago-1-4000"))
    }

    @Test func `A name of odd characters forges no line of the report`() throws {
        let result = try ImportFixture.litellm(
            "model_list: []\n\"a\\nb: taken\": 1\n? \"\(String(repeating: "x", count: 200))\"\n: 1\n")
        #expect(result.report.lines(SourceNames("f")).allSatisfy { !$0.contains("\n") && $0.utf8.count < 300 })
        #expect(result.report.rows.map(\.line) == [1, 2, 3])
    }
}
