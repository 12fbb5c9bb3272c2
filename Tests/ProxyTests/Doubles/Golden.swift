import Foundation
import TestFixtures
import Testing

/// The golden files, read as Foundation reads JSON, so that our own parser is not its own judge.
enum Golden {
    typealias Object = [String: Any]

    /// A file of a fixture folder.
    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        let data: Data
        var testDescription: String { name }
        var object: Object { ((try? JSONSerialization.jsonObject(with: data)) as? Object) ?? [:] }
    }

    /// The files of `folder` whose names begin with `prefix`, in order.
    static func cases(_ folder: String, _ prefix: String = "") -> [Case] {
        Fixtures.names(in: folder, prefix: prefix).compactMap { name in
            (try? Data(contentsOf: Fixtures.url("\(folder)/\(name)"))).map { Case(name: name, data: $0) }
        }
    }

    static func parse(_ bytes: some Sequence<UInt8>) throws -> Any {
        try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
    }

    /// Where two values differ, in words; nil when they do not. `"<any>"` as an expected value stands for anything that is
    /// not empty; `"usage": null` may stand where nothing is expected.
    static func difference(_ found: Any?, _ expected: Any?, at path: String = "") -> String? {
        if let text = expected as? String, text == "<any>" {
            switch found {
            case nil, is NSNull: return "\(path): nothing, where anything was expected"
            case let text as String where text.isEmpty: return "\(path): an empty text"
            default: return nil
            }
        }
        switch (found, expected) {
        case (let found as Object, let expected as Object):
            for key in Set(found.keys).union(expected.keys).sorted() {
                if key == "usage", expected[key] == nil, found[key] is NSNull { continue }
                if let difference = difference(found[key], expected[key], at: "\(path).\(key)") { return difference }
            }
            return nil
        case (let found as [Any], let expected as [Any]):
            if found.count != expected.count {
                return "\(path): \(found.count) elements, not \(expected.count): \(found)"
            }
            for (index, pair) in zip(found, expected).enumerated() {
                if let difference = difference(pair.0, pair.1, at: "\(path)[\(index)]") { return difference }
            }
            return nil
        case (nil, nil): return nil
        case (let found as NSObject, let expected as NSObject):
            return found.isEqual(expected) ? nil : "\(path): \(found), not \(expected)"
        default:
            return "\(path): \(found ?? "nothing"), not \(expected ?? "nothing")"
        }
    }
}

extension Golden {
    /// A whole answer as OpenAI's published schema wants it: each message has a refusal, if only null. The fixtures leave null out.
    static func withRefusals(_ answer: Any?) -> Any? {
        guard var answer = answer as? Object, let choices = answer["choices"] as? [Object] else { return answer }
        answer["choices"] = choices.map { choice in
            guard var message = choice["message"] as? Object, message["refusal"] == nil else { return choice }
            message["refusal"] = NSNull()
            var choice = choice
            choice["message"] = message
            return choice
        }
        return answer
    }
}
