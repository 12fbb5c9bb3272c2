import NIOCore
import NIOHTTP1
import ProxyRouting

/// The files of the operator's page. They hold nothing of anybody's, so they need no key: what the page asks for does.
struct DashboardFiles: Sendable {
    private struct File: Sendable {
        var text: String
        var type: String
        var tag: String
    }

    /// By their names; made when somebody first looks.
    private static let files: [String: File] = Dictionary(
        uniqueKeysWithValues: EmbeddedPage.files.map { name, text in
            let digest = SHA256.digest(of: Array(text.utf8)) ?? []
            let tag = digest.prefix(12).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
            return (name, File(text: text, type: type(of: name), tag: "\"\(tag)\""))
        })

    /// Nothing comes from elsewhere, nothing is inline, and no text becomes markup.
    static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

    private static func type(of name: String) -> String {
        switch name.split(separator: ".").last {
        case "html": "text/html; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        case "js": "text/javascript; charset=utf-8"
        case "svg": "image/svg+xml"
        default: "text/plain; charset=utf-8"
        }
    }

    /// - Parameter name: of a file; nil is the page itself.
    func answer(_ name: String?, _ context: RequestContext) throws(Failure) -> Response {
        guard let file = Self.files[name ?? "index.html"] else {
            throw Failure(.notFound(.path), "The dashboard has no file '\((name ?? "").quotable)'. Open /dashboard.")
        }
        let isKnown = context.request.head.headers.value(of: "if-none-match")?.split(separator: ",").contains {
            $0.trimmingBlanks() == file.tag || $0.trimmingBlanks() == "*"
        }
        var response = Response(status: isKnown == true ? .notModified : .ok)
        if isKnown != true { response.body = ByteBuffer(string: file.text) }
        for (field, value) in [
            ("content-type", file.type), ("etag", file.tag), ("cache-control", "no-cache"),
            ("content-security-policy", Self.policy), ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"), ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"), ("cross-origin-resource-policy", "same-origin"),
        ] { response.headers.add(name: field, value: value) }
        return response
    }
}
