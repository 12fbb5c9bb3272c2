import ProxyAccounting
import Testing

@testable import Proxy

@Suite struct TextTableTests {
    @Test func `Columns stand under their titles, numbers at the right`() {
        let table = TextTable(
            [.init("NAME"), .init("N", .right), .init("LAST")], rows: [["a", "1", "x"], ["long name", "1000", ""]])
        #expect(table.text == "NAME          N  LAST\na             1  x\nlong name  1000\n")
    }

    @Test func `An optional column of which nothing is known is left out`() {
        let columns: [TextTable.Column] = [.init("A"), .init("B", isOptional: true), .init("C", isOptional: true)]
        #expect(TextTable(columns, rows: [["1", "-", "-"], ["2", "-", "x"]]).text == "A  C\n1  -\n2  x\n")
    }

    @Test func `A name cannot move the cursor`() {
        let table = TextTable([.init("A")], rows: [["\u{1B}[2Jx\n\u{7}\u{9B}\u{202E}"]])
        #expect(table.text == "A\n?[2Jx????\n")
    }
}

@Suite struct FiguresTests {
    private func value(_ text: String) throws -> JSONValue { try JSONDocument(parsing: Array(text.utf8)).root }

    @Test func `Nano-dollars are dollars with four digits`() {
        for (nano, text) in [
            (0, "0.0000"), (1, "<0.0001"), (49_999, "<0.0001"), (50_000, "0.0001"), (149_999, "0.0001"),
            (150_000, "0.0002"), (999_949_999, "0.9999"), (999_950_000, "1.0000"), (1_234_567_890_123, "1234.5679"),
            (-1, ">-0.0001"), (-2_500_000_000, "-2.5000"), (.max, "9223372036.8548"),
        ] {
            #expect(Figures.dollars(nano) == text)
        }
    }

    @Test func `What is not known is no nought`() throws {
        for text in ["null", #""x""#, "[]"] {
            let value = try value(text)
            #expect(Figures.count(value) == "-")
            #expect(Figures.dollars(value) == "-")
            #expect(Figures.share(value) == "-")
            #expect(Figures.milliseconds(value) == "-")
            #expect(Figures.list(value) == "-")
        }
        #expect(Figures.count(nil) == "-")
        #expect(Figures.text(try value("null")) == "-")
        #expect(Figures.count(try value("0")) == "0")
        #expect(Figures.share(try value("0.1254")) == "12.5%")
        #expect(Figures.share(try value("1")) == "100.0%")
        #expect(Figures.milliseconds(try value("812.5")) == "813")
        #expect(Figures.list(try value(#"["a","b"]"#)) == "a, b")
    }
}

@Suite struct PagesTests {
    @Test func `Keys are told by a line each, and never by themselves`() throws {
        let document = #"""
            {"object":"list","data":[
            {"name":"default","source":"file","role":"admin","expires":null,"models":[],"rpm":null,"budget_hard":[]},
            {"name":"a","source":"managed","prefix":"oci-abcdef","created_at":"2026-01-01T00:00:00Z","revoked_at":null,"role":"client",
             "expires":"2026-06-01T00:00:00Z","models":["^x","y"],"rpm":60,"budget_hard":["5 USD per day"]},
            {"name":"b","source":"managed","prefix":"oci-ghijkl","created_at":"2026-01-01T00:00:00Z","revoked_at":"2026-01-02T00:00:00Z",
             "role":"client","expires":null}]}
            """#
        let before = try KeysPage.list(Array(document.utf8), at: 1_780_000_000)
        #expect(
            before == """
                NAME     ROLE    STATE                         PREFIX      CREATED               EXPIRES               MODELS  RPM  HARD BUDGET
                default  admin   in the file                   -           -                     -                     -         -  -
                a        client  works                         oci-abcdef  2026-01-01T00:00:00Z  2026-06-01T00:00:00Z  ^x, y    60  5 USD per day
                b        client  revoked 2026-01-02T00:00:00Z  oci-ghijkl  2026-01-01T00:00:00Z  -                     -         -  -

                """)
        #expect(try KeysPage.list(Array(document.utf8), at: 1_790_000_000).contains("expired"))
    }

    @Test func `A key that is shown stands alone`() throws {
        let secret = KeyText.make()
        let document = #"""
            {"name":"a","key":"\#(secret)","source":"managed","former_keys_until":["2026-01-01T00:00:00Z","2026-01-02T00:00:00Z"],
             "role":"client","expires":null,"models":[],"rpm":60,"tpm":null,"max_concurrency":null,"budget_hard":[],"budget_soft":[]}
            """#
        let (key, note) = try KeysPage.shown(Array(document.utf8))
        #expect(key == secret)
        #expect(!note.contains(secret))
        #expect(note.contains("role client; rpm 60\n"))
        #expect(note.contains("The one before works until 2026-01-02T00:00:00Z."))
    }

    @Test(arguments: ["oci-xyz", #"\u001b[2J"#, "sk-0123456789", ""])
    func `What is no key is not printed as one`(key: String) {
        let document = #"{"name":"a","key":"\#(key)","role":"client"}"#
        #expect(throws: ExitError.self) { try KeysPage.shown(Array(document.utf8)) }
    }

    @Test func `A key before that works on is told in the list`() throws {
        let document = #"""
            {"object":"list","data":[{"name":"a","role":"client","source":"managed","former_keys_until":["2026-01-02T00:00:00Z"]},
            {"name":"b","role":"client","source":"managed","former_keys_until":[]}]}
            """#
        let lines = try KeysPage.list(Array(document.utf8), at: 0).split(separator: "\n")
        #expect(lines[0].hasSuffix("FORMER WORKS UNTIL"))
        #expect(lines[1].hasSuffix("2026-01-02T00:00:00Z"))
        #expect(lines[2].hasSuffix("-"))
    }

    @Test func `What has been done to keys is told a line each`() throws {
        let document = #"""
            {"object":"list","data":[{"at":"2026-01-01T00:00:00Z","key":"a","action":"create","by":"root\u001b[2J"}]}
            """#
        #expect(
            try KeysPage.history(Array(document.utf8))
                == "AT                    KEY  ACTION  BY\n2026-01-01T00:00:00Z  a    create  root?[2J\n")
        #expect(try KeysPage.history(Array(#"{"data":[]}"#.utf8)).hasPrefix("Nothing has been done"))
        #expect(throws: ExitError.self) { try KeysPage.history(Array("{}".utf8)) }
    }

    @Test func `Nothing found says why that may be`() throws {
        func page(_ subject: String, _ rows: String, key: String?, from: String = "2026-01-01T00:00:00Z") throws
            -> String
        {
            let document =
                #"{"object":"ledger.table","subject":"\#(subject)","from":"\#(from)","to":"2100-01-01T00:00:00Z","rows":[\#(rows)]}"#
            return try LedgerPage.table(Array(document.utf8), of: key, at: 1_780_000_000)
        }
        for (subject, rows) in [("keys", ""), ("summary", #"{"requests":0}"#)] {
            #expect(try page(subject, rows, key: "Bob").contains("of a key Bob from"))
            #expect(try page(subject, rows, key: "Bob").contains("ociai-proxy key list"))
            #expect(try page(subject, rows, key: nil, from: "2099-01-01T00:00:00Z").contains("in the future"))
            #expect(try page(subject, rows, key: nil).split(separator: "\n").count == 1)
        }
        let repriced = Array(#"{"since":"2099-01-01T00:00:00Z","changed":0}"#.utf8)
        #expect(try LedgerPage.repriced(repriced, at: 1_780_000_000).contains("in the future"))
        #expect(try LedgerPage.repriced(repriced, at: 4_200_000_000).contains("0 calls"))
    }

    @Test func `A table tells what is not known, and that costs are missing`() throws {
        let document = #"""
            {"object":"ledger.table","subject":"models","from":"2026-01-01T00:00:00Z","to":"2026-02-01T00:00:00Z","rows":[
            {"model":"m1","requests":3,"failed":1,"cancelled":0,"attempts":4,"prompt_tokens":30,"cached_share":0.5,"completion_tokens":6,
             "cost_nano_usd":2500000000,"unknown_cost":0,"first_token_ms":12.4},
            {"model":null,"requests":1,"failed":0,"cancelled":0,"attempts":0,"prompt_tokens":null,"cached_share":null,
             "completion_tokens":null,"cost_nano_usd":null,"unknown_cost":1,"first_token_ms":null}]}
            """#
        #expect(
            try LedgerPage.table(Array(document.utf8)) == """
                Recorded from 2026-01-01T00:00:00Z to 2026-02-01T00:00:00Z

                MODEL  REQUESTS  FAILED  LEFT  CALLS  TOKENS IN  CACHED  TOKENS OUT  COST USD  UNPRICED  FIRST TOKEN MS
                m1            3       1     0      4         30   50.0%           6    2.5000         0              12
                -             1       0     0      0          -       -           -         -         1               -

                What unpriced requests cost is not known, and not in the sum: see [PRICES], and ociai-proxy ledger reprice.

                """)
    }

    @Test(arguments: ["summary", "days", "keys", "accounts", "failures"])
    func `Each table has a page, also where nothing of it is known`(subject: String) throws {
        func page(_ rows: String) throws -> String {
            let document = #"{"object":"ledger.table","subject":"\#(subject)","from":"F","to":"T","rows":[\#(rows)]}"#
            return try LedgerPage.table(Array(document.utf8))
        }
        #expect(try page("") == "Nothing is recorded from F to T.\n")
        let text = try page("{}")
        #expect(text.hasPrefix("Recorded from F to T\n\n"))
        #expect(text.contains("-\n"))
        #expect(!text.split(separator: "\n").dropFirst(2).joined().contains("0"))
    }

    @Test(arguments: ["", "[]", "{}", "<html>", #"{"rows":[]}"#])
    func `What is no answer of the proxy is told as such`(document: String) {
        let bytes = Array(document.utf8)
        #expect(throws: ExitError.self) { try LedgerPage.table(bytes) }
        #expect(throws: ExitError.self) { try LedgerPage.repriced(bytes) }
        #expect(throws: ExitError.self) { try KeysPage.shown(bytes) }
        #expect(throws: ExitError.self) { try KeysPage.revoked(bytes) }
    }
}
