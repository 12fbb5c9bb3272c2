@testable import Proxy
@testable import ProxyRouting

/// What upstreams say in whole: refusals, answers of the right kind and of the wrong one; and the stop sequences of texts.
enum WordsTarget {
    private static let statuses: [Int?] = [
        nil, 200, 400, 401, 402, 403, 404, 408, 409, 413, 418, 422, 429, 451, 500, 503, 529,
    ]

    /// - Parameter bytes: a body; or stop sequences and a text of JSON's form, with 0xFF, which no text has, between two.
    static func run(_ bytes: [UInt8]) {
        let parts = bytes.split(separator: 0xFF, omittingEmptySubsequences: false)
        guard parts.count == 1 else {
            // Half a pair of surrogates at the end of a text is written as it came, and stands for no stop sequence.
            let stops = parts.dropLast().map { String(decoding: $0, as: UTF8.self) }.filter {
                !$0.isEmpty && !$0.unicodeScalars.contains("\u{FFFD}")
            }
            return cut(Array(parts.last ?? []), at: stops.map { Array($0.utf8) }, Cuts(bytes))
        }
        refuse(bytes)
        answer(bytes)
        look(Cuts(bytes))
    }

    // MARK: Refusals

    private static func refuse(_ body: [UInt8]) {
        let words = ErrorWords(body: body)
        expect(
            words.message.map { !$0.isEmpty && $0.utf8.count <= MessageWords.longest } ?? true,
            "a message of \(words.message?.utf8.count ?? 0) bytes")
        expect(words.status.map { (400...599).contains($0) } ?? true, "status \(words.status ?? 0)")
        var random = Cuts(body).random
        for status in [nil, statuses.randomElement(using: &random) ?? 400, 400] as [Int?] {
            let refusal = Refusal(status: status, words)
            guard let status, status >= 400 else { continue }
            let passed = ProviderErrorReader.translate(status: status, retryAfter: nil, body: body, upstream: "a")
            ErrorPromises.check(passed)
            expect(
                passed.kind
                    == ProviderErrorReader.translate(status: status, retryAfter: nil, body: body, upstream: "b").kind,
                "\(passed) of \(refusal)")
            ErrorPromises.check(OCIErrorReader.translate(status: status, retryAfter: nil, body: body, account: "a"))
        }
        guard let root = try? JSONDocument(parsing: body).root else { return }
        _ = ErrorWords.tellFailure(root)
        ErrorPromises.check(ProviderErrorReader.translate(document: root, upstream: "a"))
        ErrorPromises.check(OCIErrorReader.translate(event: root))
    }

    // MARK: Answers

    private static func answer(_ body: [UInt8]) {
        do throws(Failure) {
            let answer = try PassThroughResponse.read(body, model: "a/model", upstream: "a")
            guard let root = document(answer.body) else { return }
            for (key, value) in root.members where key.string == "model" {
                expect(value.equals("a/model"), "another model's name")
            }
            for choice in root.elements(of: "choices") { checkCalls(choice["message"]) }
        } catch {
            ErrorPromises.check(error)
        }
        for action in [OpenAIAction.embeddings, .rerank] {
            do throws(Failure) {
                _ = document(try PassThroughList.read(body, of: action, model: "a/model", upstream: "a").body)
            } catch {
                ErrorPromises.check(error)
            }
        }
        let envelope = ChunkEnvelope(id: "chatcmpl-1", created: 1, model: "a/model")
        for dialect in [Dialect.generic, .cohere(CohereToolNames()), .cohereV2] {
            do throws(Failure) {
                for choice in document(try dialect.answer(body, in: envelope).body)?.elements(of: "choices") ?? [] {
                    checkCalls(choice["message"])
                }
            } catch {
                ErrorPromises.check(error)
            }
            do throws(Failure) {
                for line in try dialect.frames(of: body, in: envelope, includesUsage: true).frames.split(
                    separator: UInt8(ascii: "\n"))
                {
                    if !line.elementsEqual("data: [DONE]".utf8) { _ = document(Array(line.dropFirst(6))) }
                }
            } catch {
                ErrorPromises.check(error)
            }
        }
    }

    private static func document(_ body: [UInt8]) -> JSONValue? {
        let root = try? JSONDocument(parsing: body).root
        expect(root?.kind == .object, "no JSON: \(String(decoding: body, as: UTF8.self))")
        return root
    }

    /// Calls that a client can tell apart, with arguments that are a text.
    private static func checkCalls(_ message: JSONValue?) {
        var ids: Set<String> = []
        for call in message?.elements(of: "tool_calls") ?? []
        where call.kind == .object && call.members.contains(where: { _ in true }) {
            let id = call["id"]?.string ?? ""
            expect(
                !id.isEmpty && ids.insert(id).inserted, "calls of one id: \(String(decoding: call.raw, as: UTF8.self))")
            expect(
                call["function"]?["arguments"]?.kind != .object,
                "arguments that are no text: \(String(decoding: call.raw, as: UTF8.self))")
        }
    }

    // MARK: Kinds

    private static func look(_ cuts: Cuts) {
        let ways = cuts.ways
        let body = Array(ways[0][0])
        if let document = ResponseForm.document(in: body) {
            expect((try? JSONDocument(parsing: document)) != nil, "no JSON")
        }
        _ = (ResponseForm.isStream(body), ResponseForm.firstEvent(of: body))
        let found = ways.map { pieces in
            var (first, before) = (FirstBytes(), 0)
            for piece in pieces {
                switch first.look(at: piece.span) {
                case .nothingYet: before += piece.count
                case .stream: return "a stream"
                case .document(let place): return "a document at \(before + place)"
                }
            }
            return "nothing"
        }
        expect(found.allSatisfy { $0 == found[0] }, "\(found)")
    }

    // MARK: Stop sequences

    private static func cut(_ text: [UInt8], at stops: [[UInt8]], _ cuts: Cuts) {
        guard !stops.isEmpty, isString(text) else { return }
        let whole = Array(JSONString.decode(text[...]).utf8)
        // Of those that end first, any.
        let end = whole.indices.first { end in stops.contains { whole[...end].ends(with: $0) } }
        let kept =
            end.map { end in
                stops.filter { whole[...end].ends(with: $0) }.map { Array(whole[...end].dropLast($0.count)) }
            } ?? [whole]
        var random = cuts.random
        let signs = signs(of: text)
        for longest in [Int.max, 1, [2, 3, 20].randomElement(using: &random) ?? 2] {
            var (cutter, given, rest) = (StopCutter(stops), [UInt8](), signs[...])
            while !rest.isEmpty {
                let piece = rest.prefix(longest == .max ? .max : Int.random(in: 1...longest, using: &random))
                rest = rest.dropFirst(piece.count)
                let step = cutter.take(Array(piece.joined())[...])
                expect(isString(step), "no string of JSON: \(String(decoding: step, as: UTF8.self))")
                given += step
            }
            given += cutter.end()
            expect(cutter.hasStopped == (end != nil), "it has \(end == nil ? "" : "not ")stopped")
            let told = Array(JSONString.decode(given[...]).utf8)
            expect(
                kept.contains(told),
                "\(JSONString.decode(given[...]).debugDescription) is kept of \(JSONString.decode(text[...]).debugDescription)"
            )
        }
    }

    /// Whether this may stand between the quotes of one.
    private static func isString(_ text: [UInt8]) -> Bool {
        (try? JSONDocument(parsing: [UInt8(ascii: "\"")] + text + [UInt8(ascii: "\"")])) != nil
    }

    /// The characters and escapes of a string; a pair of surrogates is two.
    private static func signs(of text: [UInt8]) -> [ArraySlice<UInt8>] {
        var (signs, start): ([ArraySlice<UInt8>], Int) = ([], 0)
        while start < text.count {
            var end = start + (text[start] == UInt8(ascii: "\\") ? text[start + 1] == UInt8(ascii: "u") ? 6 : 2 : 1)
            while end < text.count, text[end] & 0xC0 == 0x80 { end += 1 }
            signs.append(text[start..<end])
            start = end
        }
        return signs
    }
}

extension ArraySlice<UInt8> {
    fileprivate func ends(with other: [UInt8]) -> Bool { suffix(other.count).elementsEqual(other) }
}
