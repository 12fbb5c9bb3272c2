import Foundation
import NIOHTTP1
import Testing

@testable import Proxy
@testable import ProxyRouting

/// What the process says of itself in OpenAPI, beside what it serves.
@Suite struct OpenAPITests {
    private typealias Object = [String: Any]

    private func document() async throws -> Object {
        let text = try await FrontDoor.fixture().text(at: "/openapi.json")
        return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? Object)
    }

    @Test func `Every endpoint is in the document and nothing else`() async throws {
        let door = try FrontDoor.fixture()
        let paths = try #require(try await document()["paths"] as? [String: Object])
        let verbs: Set = ["get", "post", "delete"]
        let described = Set(
            paths.flatMap { path, item in
                item.keys.filter(verbs.contains).map { "\($0.uppercased()) \(path)" }
            })
        var served: Set<String> = []
        for endpoint in door.endpoints.endpoints {
            for method in endpoint.methods where method != .HEAD {
                served.insert("\(method.rawValue) \(endpoint.path)")
            }
        }
        // What stands behind an id is one row of the table.
        let behind = described.filter { $0.contains("}/") }
        served.remove("POST /v1/responses/{id}")
        served.remove("POST /admin/keys/{name}")
        #expect(
            behind == [
                "GET /v1/responses/{id}/input_items", "POST /v1/responses/{id}/cancel",
                "POST /admin/keys/{name}/rotate", "GET /admin/keys/{name}/history",
            ])
        #expect(described.subtracting(behind) == served)
    }

    @Test func `Every reference leads somewhere`() async throws {
        let document = try await document()
        var references: Set<String> = []
        func collect(_ value: Any) {
            if let object = value as? Object {
                if let reference = object["$ref"] as? String { references.insert(reference) }
                object.values.forEach(collect)
            } else if let list = value as? [Any] {
                list.forEach(collect)
            }
        }
        collect(document)
        #expect(references.count > 50)
        for reference in references {
            var place: Any? = document
            for step in reference.split(separator: "/").dropFirst() { place = (place as? Object)?[String(step)] }
            #expect(place != nil, "\(reference)")
        }
    }

    @Test func `Whoever needs a key is said to need one`() async throws {
        let door = try FrontDoor.fixture()
        let paths = try #require(try await document()["paths"] as? [String: Object])
        for endpoint in door.endpoints.endpoints {
            let operation = try #require(paths[endpoint.path]?[endpoint.method.rawValue.lowercased()] as? Object)
            let isOpen = (operation["security"] as? [Any])?.isEmpty == true
            if case .anyone = endpoint.access { #expect(isOpen) } else { #expect(!isOpen) }
        }
    }
}
