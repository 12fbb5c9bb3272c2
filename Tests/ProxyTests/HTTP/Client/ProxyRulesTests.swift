import Testing

@testable import Proxy

@Suite("Outbound proxies")
struct ProxyRulesTests {
    private func rules(_ exceptions: String) throws -> ProxyRules {
        try ProxyRules(environment: [
            "https_proxy": "http://proxy:3128", "HTTP_PROXY": "plain:8080", "NO_PROXY": exceptions,
        ])
    }

    @Test(
        arguments: [
            ("http://proxy:3128", "proxy", 3128, nil), ("proxy:3128", "proxy", 3128, nil),
            ("http://proxy", "proxy", 1080, nil),
            ("http://[::1]:3128/", "::1", 3128, nil),
            ("http://user:secret@Proxy:1", "proxy", 1, "Basic dXNlcjpzZWNyZXQ="),
            ("http://user@proxy:1", "proxy", 1, "Basic dXNlcjo="),
            ("http://u%40d:p%3a@proxy:1", "proxy", 1, "Basic dUBkOnA6"),
        ] as [(String, String, Int, String?)])
    func `A proxy is named by a URL`(_ url: String, _ host: String, _ port: Int, _ authorization: String?) throws {
        let proxy = try ProxyRules(environment: ["HTTPS_PROXY": url]).proxy(
            for: Origin(isTLS: true, host: "example.com", port: 443))
        #expect(
            proxy
                == ProxyRules.Proxy(origin: Origin(isTLS: false, host: host, port: port), authorization: authorization))
    }

    @Test(arguments: [
        "socks5://user:secret@proxy:1", "https://user:secret@proxy", "http://", "http://user:secret@proxy:x",
        "http://proxy:0",
    ])
    func `What names no proxy is told, without what it holds`(_ url: String) {
        do {
            _ = try ProxyRules(environment: ["https_proxy": url])
            Issue.record("\(url) was taken")
        } catch {
            #expect(error.description.hasPrefix("https_proxy cannot be used: "))
            #expect(!error.description.contains("secret"))
        }
    }

    @Test func `Lower case comes first, and what is empty is not there`() throws {
        let origin = Origin(isTLS: true, host: "example.com", port: 443)
        #expect(
            try ProxyRules(environment: ["https_proxy": "a:1", "HTTPS_PROXY": "b:1"]).proxy(for: origin)?.origin.host
                == "a")
        #expect(
            try ProxyRules(environment: ["https_proxy": "", "HTTPS_PROXY": "b:1"]).proxy(for: origin)?.origin.host
                == "b")
        #expect(
            try ProxyRules(environment: ["https_proxy": "a:1", "no_proxy": "", "NO_PROXY": "*"]).proxy(for: origin)
                == nil)
        #expect(ProxyRules.none.proxy(for: origin) == nil)
    }

    @Test func `Each scheme has its own`() throws {
        let rules = try rules("")
        #expect(rules.proxy(for: Origin(isTLS: true, host: "example.com", port: 443))?.origin.host == "proxy")
        #expect(rules.proxy(for: Origin(isTLS: false, host: "example.com", port: 80))?.origin.host == "plain")
        #expect(
            try ProxyRules(environment: ["HTTPS_PROXY": "a:1"]).proxy(
                for: Origin(isTLS: false, host: "example.com", port: 80)) == nil)
    }

    @Test(arguments: [
        ("", "example.com", 443, false), ("*", "example.com", 443, true), ("example.com", "example.com", 443, true),
        ("example.com", "www.example.com", 443, true), (".example.com", "www.example.com", 443, true),
        (".example.com", "example.com", 443, true),
        ("*.example.com", "www.example.com", 443, true), ("example.com", "badexample.com", 443, false),
        ("EXAMPLE.com", "example.com", 443, true),
        ("example.com.", "example.com", 443, true), ("www.example.com", "example.com", 443, false),
        ("a.b, example.com", "example.com", 443, true),
        ("a.b example.com", "example.com", 443, true), ("example.com:443", "example.com", 443, true),
        ("example.com:8443", "example.com", 443, false),
        ("10.0.0.0/8", "10.1.2.3", 443, true), ("10.0.0.0/8", "11.1.2.3", 443, false),
        ("10.1.2.3", "10.1.2.3", 443, true),
        ("10.1.2.3:443", "10.1.2.3", 443, true), ("10.1.2.0/31", "10.1.2.1", 443, true),
        ("10.1.2.0/31", "10.1.2.2", 443, false),
        ("fd00::/8", "fd12::1", 443, true), ("[fd12::1]", "fd12::1", 443, true), ("fd12:0::1", "fd12::1", 443, true),
        ("10.0.0.0/99", "10.0.0.0", 443, false),
        ("10.0.0.0/8", "10.example.com", 443, false), (",,", "example.com", 443, false),
        (".", "example.com", 443, false),
        // Never through a proxy.
        ("", "localhost", 443, true), ("", "127.0.0.9", 443, true), ("", "169.254.169.254", 80, true),
        ("", "::1", 443, true), ("", "fe80::1", 443, true),
    ])
    func `Exceptions are reached directly`(_ exceptions: String, _ host: String, _ port: Int, _ isDirect: Bool) throws {
        #expect(
            (try rules(exceptions).proxy(for: Origin(isTLS: port == 443, host: host, port: port)) == nil) == isDirect)
    }
}

@Suite("A request's URL")
struct RequestAddressTests {
    @Test(arguments: [
        ("http://example.com", false, "example.com", 80, "/", "example.com"),
        ("https://Example.com/a?b#c", true, "example.com", 443, "/a?b", "example.com"),
        ("HTTP://example.com:8080?x=/y", false, "example.com", 8080, "/?x=/y", "example.com:8080"),
        ("https://[::1]:443/", true, "::1", 443, "/", "[::1]"), ("https://[::1]:1/", true, "::1", 1, "/", "[::1]:1"),
        ("http://h:/", false, "h", 80, "/", "h"),
    ])
    func `is taken apart`(
        _ url: String, _ isTLS: Bool, _ host: String, _ port: Int, _ target: String, _ authority: String
    ) throws {
        let address = try RequestAddress(url)
        #expect(address.origin == Origin(isTLS: isTLS, host: host, port: port))
        #expect(address.target == target)
        #expect(address.origin.authority == authority)
    }

    @Test(arguments: [
        "", "example.com", "ftp://example.com", "http://", "http://:80", "http://a:b", "http://a:70000", "http://a/b c",
        "http://a/\r\nb", "http://a b/", "http://[::1", "http://u:p@a/",
    ])
    func `that is none is told`(_ url: String) {
        #expect(throws: TransportError.self) { try RequestAddress(url) }
    }
}
