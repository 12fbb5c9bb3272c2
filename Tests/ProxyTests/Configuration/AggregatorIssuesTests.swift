import ProxyTestSupport
import Testing

@testable import Proxy

@Suite struct AggregatorIssuesTests {
    typealias Fixture = AggregatorFixture

    /// Members from line 4 of a valid file on, and the line that `-check` prints for each fault.
    static let errors: [(members: String, lines: [String])] = [
        (#""port": 70000"#, ["4: port: 70000 is not valid; use a whole number from 0 to 65535"]),
        (
            "\"host\":\n\"a b\"",
            ["5: host: a b is not valid; use an IPv4 or IPv6 address or a host name, without a port"]
        ),
        (#""port": "http""#, ["4: port: http is not valid; use a whole number from 0 to 65535"]),
        (#""port": true"#, ["4: port is a boolean; use a whole number from 0 to 65535"]),
        (#""port": 8080.5"#, ["4: port: 8080.5 is not valid; use a whole number from 0 to 65535"]),
        (#""port": -1"#, ["4: port: -1 is not valid; use a whole number from 0 to 65535"]),
        (#""port": [1]"#, ["4: port is a list; use a whole number from 0 to 65535"]),
        (#""port": {}"#, ["4: port is an object; use a whole number from 0 to 65535"]),
        (#""host": true"#, ["4: host is a boolean; use an IPv4 or IPv6 address or a host name, without a port"]),
        (#""log_file": false"#, ["4: log_file is a boolean; use a path"]),
        (#""log_file": "a\u0000b""#, ["4: log_file is a string with the control character 0x0; use a path"]),
        (
            #""log_level": "LOUD""#,
            ["4: log_level: LOUD is not valid; use one of trace, debug, info, notice, warning, error, critical"]
        ),
        (
            #""local_access": "maybe""#,
            ["4: local_access: maybe is not valid; use true, false, yes, no, on, off, 1 or 0"]
        ),
        (
            #""stream_timeout": 0"#,
            ["4: stream_timeout: 0 is not valid; use a duration from 1ms to 168h, such as 30s, 1m30s or 500ms"]
        ),
        (
            #""non_stream_timeout": -30"#,
            ["4: non_stream_timeout: -30 is not valid; use a duration from 1ms to 168h, such as 30s, 1m30s or 500ms"]
        ),
        (
            #""keepalive_expiry": "long""#,
            [
                "4: keepalive_expiry: long is not valid; use a duration from 1ms to 168h, such as 30s, 1m30s or 500ms, or 0"
            ]
        ),
        (#""max_connections": 0"#, ["4: max_connections: 0 is not valid; use a whole number from 1 to 100000"]),
        (
            #""max_response_size": 1e30"#,
            [
                "4: max_response_size: 1e+30 is not valid; use a size from 1 byte to 1 GiB, such as 32 MiB, 10MB or 1048576"
            ]
        ),
        (#""failure_rate": 60"#, ["4: failure_rate: 60 is not valid; use a number above 0 and at most 1, such as 0.6"]),
        (
            #""cors_origins": [{}]"#,
            [
                "4: cors_origins is a list that contains an object; use * or a comma-separated list of origins such as https://app.example"
            ]
        ),
        (
            "\"ca_file\": \"absent.pem\"",
            [
                "4: ca_file = absent.pem: no such file (looked for /etc/proxy/absent.pem and /srv/proxy/absent.pem); correct the path, or put the file there"
            ]
        ),
        (#""tls_cert": "key.pem""#, ["4: tls_cert is set without tls_key; set both, or neither"]),
        (#""providers": {}"#, ["4: providers is an object, not a list; write a list of providers in [ ]"]),
        (#""tokens": "a|b""#, [#"4: tokens is a string, not a list; write a list: ["description|TOKEN"]"#]),
        ("\"tokens\": [\n{\"a\": 1}]", [#"5: entry 1 of tokens is an object; write it as "description|TOKEN""#]),
        (#""tokens": ["alice|"]"#, ["4: the client key alice is empty; use visible ASCII characters without spaces"]),
        (
            #""tokens": ["alice|a b"]"#,
            ["4: the client key alice is not valid; use visible ASCII characters without spaces"]
        ),
        (
            #""tokens": ["a\u001b[2J|\u0000T"]"#,
            ["4: the client key a?[2J is not valid; use visible ASCII characters without spaces"]
        ),
        (#""fallbacks": []"#, [#"4: fallbacks is an array; write it as {"provider/model": ["provider/other-model"]}"#]),
        (
            #""fallbacks": {"zhipu/a": {}}"#,
            [#"4: the fallbacks of zhipu/a are an object; write it as {"provider/model": ["provider/other-model"]}"#]
        ),
        (#""fallbacks": {"zhipu/a": []}"#, ["4: the fallbacks of zhipu/a are empty; name at least one model"]),
        (
            #""fallbacks": {"zhipu/a": true}"#,
            [#"4: the fallbacks of zhipu/a are a boolean; write it as {"provider/model": ["provider/other-model"]}"#]
        ),
        (
            #""supported_models": {}"#,
            [#"4: supported_models is an object, not a list; write a list of regular expressions: ["^NAME/"]"#]
        ),
        (
            "\"supported_models\": [\n\"ok\",\nnull]",
            [#"6: entry 2 of supported_models is null; write a list of regular expressions: ["^NAME/"]"#]
        ),
        (
            "\"supported_models\": [\"ok\",\n\"(abc\"]",
            [
                #"5: supported_models: (abc is not a valid regular expression (expected ')'); correct it; in JSON write \ as \\, and use .* to match any text"#
            ]
        ),
        (
            #""supported_models": ["*glm"]"#,
            [
                #"4: supported_models: *glm is not a valid regular expression (quantifier '*' must appear after expression); correct it; in JSON write \ as \\, and use .* to match any text"#
            ]
        ),
        (#""oci_accounts": {}"#, ["4: oci_accounts is an object, not a list; write a list of accounts in [ ]"]),
        (
            #""oci_accounts": ["x"]"#,
            [
                #"4: entry 1 of oci_accounts is a string; use an object with the keys of an account: {"user": ..., "key_file": ...}"#
            ]
        ),
        (
            "\"oci_accounts\": [\n" + Fixture.account().replacing(#""region": "us-chicago-1""#, with: #""region": """#)
                + "]",
            [#"5: region in entry 1 of oci_accounts is empty; write "region": "us-chicago-1""#]
        ),
        (
            "\"oci_accounts\": [\n" + Fixture.account().replacing(#""user": "ocid1.user.oc1..u", "#, with: "") + "]",
            [
                #"5: user is missing in entry 1 of oci_accounts; add "user": "ocid1.user.oc1.." to entry 1 of oci_accounts"#
            ]
        ),
        (
            "\"oci_accounts\": [\n" + Fixture.account(#""compartment": {}"#) + "]",
            ["5: compartment is an object; use an OCID: letters, digits and the characters . _ - without spaces"]
        ),
        (
            "\"oci_accounts\": [\n\(Fixture.account()),\n\(Fixture.account(#""id": "Account_1""#))]",
            ["6: duplicate account id Account_1, already used in line 5; change one of the two ids"]
        ),
        (
            #""oci_accounts": [\#(Fixture.account(#""id": "ZHIPU""#))]"#,
            ["2: zhipu is the id of both an account and a provider; rename one of the two"]
        ),
    ]

    @Test(arguments: errors.indices)
    func `Is an error with line and mend`(index: Int) {
        let (members, lines) = Self.errors[index]
        let outcome = Fixture.read(Fixture.file(members))
        #expect(outcome.errors.map(\.description) == lines.map { "c.conf:\($0)" })
    }

    /// One entry of `providers`, which stands in line 2.
    @Test(arguments: [
        (
            #""zhipu""#,
            #"2: entry 1 of providers is not of the form name|url|key; use {"provider": "NAME", "baseurl": "https://host/v1", "token": "KEY"} or "NAME|https://host/v1|KEY""#
        ),
        (
            "1",
            #"2: entry 1 of providers is a number; use {"provider": "NAME", "baseurl": "https://host/v1", "token": "KEY"} or "NAME|https://host/v1|KEY""#
        ),
        (#""|https://a.example|K""#, #"2: provider in entry 1 of providers is empty; write "provider": "NAME""#),
        (#""a||K""#, #"2: baseurl in entry 1 of providers is empty; write "baseurl": "https://host/v1""#),
        (
            #""a/b|https://a.example|K""#,
            "2: provider: a/b is not valid; use a name of at most 64 bytes without / or control characters"
        ),
        (
            #""a|a.example/v1|K""#,
            "2: the value of baseurl is not valid; use an absolute http or https URL such as https://host/v1, without user, query or fragment"
        ),
        (
            #""a|https://a.example?x=1|K""#,
            "2: the value of baseurl is not valid; use an absolute http or https URL such as https://host/v1, without user, query or fragment"
        ),
        (
            #""a|ftp://a.example|K""#,
            "2: baseurl: ftp://a.example is not valid; use an absolute http or https URL such as https://host/v1, without user, query or fragment"
        ),
        (
            #""a|https://a.example|K K""#,
            "2: the value of token is not valid; use visible ASCII characters without spaces"
        ),
        (
            #"{"provider": "a", "baseurl": "https://a.example", "token": "K\nX"}"#,
            "2: token is a string with the control character 0xA; use visible ASCII characters without spaces"
        ),
        (
            #"{"provider": "a", "token": "K"}"#,
            #"2: baseurl is missing in entry 1 of providers; add "baseurl": "https://host/v1" to entry 1 of providers"#
        ),
        (
            #"{"baseurl": "https://a.example"}"#,
            #"2: provider is missing in entry 1 of providers; add "provider": "NAME" to entry 1 of providers"#
        ),
        (
            #"{"provider": "a", "baseurl": "https://a.example", "model_list": ["a,b"]}"#,
            "2: model_list is a list of strings that contain commas; use a comma-separated list of names"
        ),
        (
            #"{"provider": "a", "baseurl": "https://a.example", "model_list": ","}"#,
            "2: model_list: , is not valid; use a comma-separated list of names"
        ),
        (
            #"{"provider": "a", "baseurl": "https://a.example", "model_list": {}}"#,
            "2: model_list is an object; use a comma-separated list of names"
        ),
        (
            #"{"provider": "a\u0007", "baseurl": "https://a.example"}"#,
            "2: provider is a string with the control character 0x7; use a name of at most 64 bytes without / or control characters"
        ),
    ])
    func `A wrong provider is an error with line and mend`(entry: String, line: String) {
        let outcome = Fixture.read(Fixture.providers(entry))
        #expect(outcome.settings == nil)
        #expect(outcome.errors.map(\.description) == ["c.conf:\(line)"])
    }

    @Test func `A provider may not bear the name of the accounts' models`() {
        let text = #"{"providers": ["oci|https://a.example|K"], "tokens": ["a|T"]"#
        #expect(Fixture.read(text + "}").issues.isEmpty)
        let errors = Fixture.read(text + #", "oci_accounts": [\#(Fixture.account())]}"#).errors
        #expect(errors.map(\.message) == ["the provider name oci is reserved for the models of oci_accounts"])
    }

    @Test func `An empty file says everything that is missing`() {
        for text in ["{}", " \r\n\t{\"providers\": [], \"tokens\": []}", "\u{FEFF}// a\n{ /* b */ }"] {
            let outcome = Fixture.read(text)
            #expect(outcome.settings == nil)
            #expect(
                outcome.errors.map(\.description) == [
                    #"c.conf:1: tokens is missing or empty, so every client would be rejected; add "tokens": ["description|TOKEN"]"#,
                    "c.conf:1: the file has neither providers nor oci_accounts, so there is nothing to serve; "
                        + #"add "providers": [{"provider": "NAME", "baseurl": "https://host/v1", "token": "KEY"}]"#,
                ])
        }
    }

    @Test func `The multi account flag asks for accounts`() {
        let outcome = ConfigurationFixture.read(Fixture.file(), overrides: .init(multiAccount: true))
        #expect(outcome.errors.map(\.message) == ["-multi-account is given, but the file has no oci_accounts"])
    }

    @Test(arguments: [
        (#""prot": 1"#, "4: unknown key prot, it is ignored; did you mean port?"),
        (#""supported_model": []"#, "4: unknown key supported_model, it is ignored; did you mean supported_models?"),
        (#""provider": []"#, "4: provider has no effect in this place; move it to providers"),
        (#""xyzzyxyzzyxyzzy": {"a": [1]}"#, "4: unknown key xyzzyxyzzyxyzzy, it is ignored; remove it"),
        ("\"a\\u001b\\nb\": 1", "4: unknown key a??b, it is ignored; remove it"),
        (#""api_key": "x""#, #"4: api_key has no effect in this place; move it to tokens, as "description|TOKEN""#),
        (#""user": "x""#, "4: user has no effect in this place; move it to oci_accounts"),
        (#""port": 99999, "port": 2"#, "4: port is set twice: this line overrides line 4; remove one of the two"),
        (
            "\"port\": 1,\n\"global\": {\"PORT\": 2}",
            "5: PORT is set twice: this line overrides line 4; remove one of the two"
        ),
        (#""tokens": ["alice|X"]"#, "4: tokens is set twice: this one overrides line 3; merge the two"),
        (
            #""global": {"supported_models": []}"#,
            "4: supported_models has no effect in this place; move it to the top-level object"
        ),
        (
            #""default_max_tokens": 5"#,
            "4: default_max_tokens: 5 has no effect without accounts, because requests to providers are passed on unchanged; remove it"
        ),
        (
            #""load_balance_strategy": "weighted""#,
            "4: load_balance_strategy: weighted has no effect without accounts, because providers have no weight; remove it"
        ),
        (#""supported_models": ["", "glm"]"#, "4: entry 1 of supported_models is empty, it is ignored; remove it"),
        (
            #""fallbacks": {"zhipu/a": ["zhipu/a", "zhipu/b"]}"#,
            "4: zhipu/a is a fallback of itself, which is ignored; remove it from its own fallbacks"
        ),
        (
            #""fallbacks": {"zhipu/a": ["b"]}"#,
            "4: the fallback b does not belong to a configured provider; write it as provider/model"
        ),
        (
            #""fallbacks": {"zhipu/a": ["zhpu/b/c"]}"#,
            "4: the fallback zhpu/b/c does not belong to a configured provider; did you mean zhipu/b/c?"
        ),
        (
            #""fallbacks": {"oci/a": ["zhipu/b"]}"#,
            "4: the fallback oci/a does not belong to a configured provider; correct the name"
        ),
        (
            #""fallbacks": {"zhipu/a": ["zhipu/b"]}, "supported_models": ["a$"]"#,
            "4: the fallback zhipu/b matches no expression in supported_models; add an expression for it"
        ),
    ])
    func `Is a warning and the file stays usable`(members: String, line: String) {
        let outcome = Fixture.read(Fixture.file(members))
        #expect(outcome.settings != nil)
        #expect(outcome.issues.map(\.description) == ["c.conf:\(line)"])
    }

    @Test(arguments: [
        (
            [#""a|http://a.example/v1|K""#],
            "2: baseurl: http://a.example/v1 sends the token, prompts and answers unencrypted; use https unless the network is trusted"
        ),
        (
            [#""a|https://a.example|K""#, #""A|https://b.example|K""#],
            "3: A and a in line 2 differ only in case: they are two providers, not a pool; spell both the same way to form a pool"
        ),
        (
            [#""a|https://a.example|K""#, #"{"provider": "a", "baseurl": "https://a.example/", "token": "K"}"#],
            "3: this entry of a is the same as the one in line 2; remove one of the two, or correct its baseurl or token"
        ),
        (
            [#"{"provider": "a", "baseurl": "https://a.example", "base_url": "x"}"#],
            "2: unknown key base_url, it is ignored; did you mean baseurl?"
        ),
        (
            [#"{"provider": "a", "baseurl": "https://a.example", "api_key": "x"}"#],
            "2: unknown key api_key, it is ignored; did you mean token?"
        ),
        (
            [#"{"provider": "a", "baseurl": "https://a.example", "models": ["x"]}"#],
            "2: unknown key models, it is ignored; did you mean model_list?"
        ),
        (
            [#"{"provider": "a", "baseurl": "https://a.example", "port": 1}"#],
            "2: port has no effect in entry 1 of providers; move it to the top-level object"
        ),
    ])
    func `Is a warning about providers`(entries: [String], line: String) {
        let text = "{\"providers\": [\n\(entries.joined(separator: ",\n"))\n], \"tokens\": [\"a|T\"]}"
        let outcome = Fixture.read(text)
        #expect(outcome.settings != nil)
        #expect(outcome.issues.map(\.description) == ["c.conf:\(line)"])
    }

    @Test func `Models that the filter hides are named`() {
        let provider = #"{"provider": "a", "baseurl": "https://a.example", "model_list": ["m1", "m2", "x"]}"#
        let text = { (filter: String, more: String) in
            #"{"providers": [\#(provider)], "tokens": ["a|T"], "supported_models": ["\#(filter)"]\#(more)}"#
        }
        #expect(
            Fixture.read(text("x$", "")).warnings.map(\.message) == [
                "a/m1 and 1 more of model_list match no expression in supported_models and are not served"
            ])
        #expect(
            Fixture.read(text("m", "")).warnings.map(\.message) == [
                "a/x of model_list matches no expression in supported_models and is not served"
            ])
        #expect(
            Fixture.read(text("", #", "fallbacks": {"a/m1": ["a/m3"]}"#)).warnings.map(\.description).contains(
                "c.conf:1: the fallback a/m3 is not in the model_list of a; did you mean a/m1?"))
    }

    @Test func `Connection settings without providers have no effect`() {
        let text =
            #"{"tokens": ["a|T"], "oci_accounts": [\#(Fixture.account())], "max_connections": 5, "keepalive_expiry": 1}"#
        #expect(
            Fixture.read(text).issues.map(\.message) == [
                "max_connections: 5 has no effect without providers",
                "keepalive_expiry: 1 has no effect without providers",
            ])
    }

    @Test func `Two tokens of one description both count`() throws {
        let outcome = Fixture.read(
            "{\"providers\": [\"a|https://a.example|K\"], \"tokens\": [\"x|1\",\n\"x|2\",\n\"y|1\"]}")
        #expect(try #require(outcome.settings).clientKeys.count == 2)
        #expect(
            outcome.warnings.map(\.message) == [
                "duplicate token description x, already used in line 1", "the client key y is the same as x",
            ])
    }

    @Test func `No issue shows a secret`() {
        let text = """
            {"providers": ["hunter2", "a|hunter2|https://a.example", "a|https://hunter2:hunter2@a.example|K", "a|https://a.example?key=hunter2|K", "a|https://a.example|hunter2 hunter2", {"token": "hunter2\\n"}, {"token": {"hunter2": 1}}, "a|b|hunter2"],
            "tokens": ["hunter2 hunter2", "a|hunter2", "b|hunter2", "c|hun\\u0000hunter2"], "api_key": "hunter2",
            "oci_accounts": [{"pass_phrase": ["hunter2"], "bearer_key": "hunter2"}, "hunter2"]}
            """
        let issues = Fixture.read(text).issues
        #expect(issues.count > 8)
        for issue in issues { #expect(!issue.description.contains("hunter2")) }
    }
}
