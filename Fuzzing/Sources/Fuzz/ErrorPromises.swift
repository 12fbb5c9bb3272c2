@testable import Proxy
@testable import ProxyRouting

/// What a client gets told of any failure: a status of one, and a document with all four members, of no great length.
enum ErrorPromises {
    static func check(_ error: Failure) {
        expect((400...599).contains(error.status), "status \(error.status)")
        expect(
            !error.message.isEmpty && error.message.utf8.count <= MessageWords.longest + 512,
            "a message of \(error.message.utf8.count) bytes")
        expect(
            error.retryAfter.map { (0...RetryAfter.longest).contains($0) } ?? true,
            "again after \(error.retryAfter ?? 0)")
        // They are logged.
        for word in [error.code, error.type, error.param] {
            expect(
                word.map { (1...128).contains($0.utf8.count) && $0.utf8.allSatisfy { (0x21...0x7E).contains($0) } }
                    ?? true, "\(word ?? "")")
        }
        guard let told = (try? JSONDocument(parsing: error.body).root)?["error"] else {
            return expect(false, "no JSON: \(error)")
        }
        expect(
            told["message"]?.string == error.message && told["type"]?.string == error.type
                && told["param"]?.string == error.param, "\(error)")
    }
}
