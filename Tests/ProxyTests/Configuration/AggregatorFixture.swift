@testable import Proxy

/// JSON configurations for tests.
enum AggregatorFixture {
    /// A file of one provider (line 2) and one token (line 3), with more members from line 4 on.
    static func file(_ members: String = "") -> String {
        """
        {
        "providers": ["zhipu|https://api.example/v4|KEY"],
        "tokens": ["alice|TOKEN"],
        \(members)
        }
        """
    }

    /// A file with these providers, one a line from line 2 on, and a token.
    static func providers(_ entries: String...) -> String {
        "{\"providers\": [\n\(entries.joined(separator: ",\n"))\n], \"tokens\": [\"a|T\"]}"
    }

    static func read(_ text: String, files: Set<String> = ["/etc/proxy/key.pem"]) -> ConfigurationLoader.Outcome {
        ConfigurationFixture.read(text, files: files)
    }

    /// An OCI account as an object in one line.
    static func account(_ more: String = "") -> String {
        #"{"user": "ocid1.user.oc1..u", "fingerprint": "\#(ConfigurationFixture.fingerprint)", "key_file": "key.pem", "#
            + #""tenancy": "ocid1.tenancy.oc1..t", "region": "us-chicago-1"\#(more.isEmpty ? "" : ", \(more)")}"#
    }
}
