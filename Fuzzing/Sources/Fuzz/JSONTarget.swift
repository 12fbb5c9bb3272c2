@testable import Proxy

/// The readers of JSON agree on what is JSON and on what stands in it, and what is written anew says the same.
enum JSONTarget {
    private struct Entry: Equatable {
        let kind: JSONValue.Kind
        let isEscaped: Bool
        let start, end, next: Int32

        init(_ node: JSONDocument.Node) {
            (kind, isEscaped, start, end, next) = (node.kind, node.isEscaped, node.start, node.end, node.next)
        }
    }

    static func run(_ bytes: [UInt8]) {
        var parser = JSONParser(expectedNodes: 16)
        var failure: JSONSyntaxError?
        do throws(JSONSyntaxError) { try parser.parse(bytes) } catch { failure = error }
        let nodes = failure == nil ? parser.nodes.map(Entry.init) : nil
        expect(JSONDocument.nodes(of: bytes)?.map(Entry.init) == nodes, "the lister finds other values than the parser")
        if let failure {
            expect(
                (0...bytes.count).contains(failure.offset) && failure.line >= 1 && failure.column >= 1
                    && !failure.problem.isEmpty, "\(failure)")
        }
        expectSameGlance(bytes, nodes)
        expectSameWithin(bytes, nodes, failure)
        guard nodes != nil, let document = try? JSONDocument(parsing: bytes) else { return }
        var writer = JSONWriter()
        write(document.root, to: &writer)
        guard let again = try? JSONDocument(parsing: writer.bytes) else {
            return expect(false, "what is written anew is no JSON")
        }
        expectSame(document.root, again.root)
    }

    private static func expectSameGlance(_ bytes: [UInt8], _ nodes: [Entry]?) {
        let few = JSONFastPath.look(at: bytes.span) { count($0) }
        let any = JSONFastPath.look(atAnyOf: bytes.span) { count($0) }
        expect(any == nodes?.count, "a glance sees \(any ?? -1) values of \(nodes?.count ?? -1)")
        expect(
            few == any || few == nil && any ?? 0 > JSONFastPath.mostValues,
            "a glance at \(any ?? -1) values sees \(few ?? -1)")
    }

    /// Values, names of members included.
    private static func count(_ value: JSONFastPath) -> Int {
        var number = 1
        _ = (value.smallInt, value.plainInt, value.isWritten("x"))
        _ = value.each { name, member in
            _ = name.means("content")
            number += count(member) + (value.kind == .object ? 1 : 0)
            return true
        }
        return number
    }

    private static func expectSameWithin(_ bytes: [UInt8], _ nodes: [Entry]?, _ failure: JSONSyntaxError?) {
        for limit in [1, 2, 7, nodes?.count ?? 3, max((nodes?.count ?? 3) - 1, 1), 1000] {
            do throws(JSONSyntaxError) {
                if let document = try JSONDocument.parse(bytes, upTo: limit) {
                    expect(
                        document.root.size == nodes?.count ?? -1 && document.root.size <= limit,
                        "\(document.root.size) values of \(limit)")
                } else {
                    // Of a text that breaks behind its last allowed value nobody looks at the rest.
                    expect(nodes?.count ?? .max > limit, "\(nodes?.count ?? -1) values are more than \(limit)")
                }
            } catch {
                expect(error == failure, "\(error)")
            }
        }
    }

    private static func write(_ value: JSONValue, to writer: inout JSONWriter) {
        switch value.kind {
        case .object:
            writer.beginObject()
            for (key, member) in value.members {
                writer.key(key.string ?? "")
                write(member, to: &writer)
            }
            writer.endObject()
        case .array:
            writer.beginArray()
            for element in value.elements { write(element, to: &writer) }
            writer.endArray()
        case .string: writer.string(value.string ?? "")
        case .number: writer.raw(value.raw)
        case .true, .false: writer.bool(value.bool ?? false)
        case .null: writer.null()
        }
    }

    private static func expectSame(_ first: JSONValue, _ second: JSONValue) {
        expect(first.kind == second.kind, "\(first.kindName) has become \(second.kindName)")
        switch first.kind {
        case .object:
            var others = second.members
            for (key, member) in first.members {
                guard let other = others.next() else { return expect(false, "a member is missing") }
                expect(isSame(key.string, other.key.string), "another name")
                expectSame(member, other.value)
            }
            expect(others.next() == nil, "a member too many")
        case .array:
            var others = second.elements
            for element in first.elements {
                guard let other = others.next() else { return expect(false, "an element is missing") }
                expectSame(element, other)
            }
            expect(others.next() == nil, "an element too many")
        case .string:
            expect(isSame(first.string, second.string), "another string")
            if first.rawString?.isEmpty == true { _ = first.path }
        case .number:
            expect(
                first.int == second.int && first.double == second.double && first.raw.elementsEqual(second.raw),
                "another number")
        case .true, .false, .null: break
        }
    }

    /// To the byte: strings of different scalars may be equal.
    private static func isSame(_ first: String?, _ second: String?) -> Bool {
        guard let first, let second else { return first == nil && second == nil }
        return first.utf8.elementsEqual(second.utf8)
    }
}
