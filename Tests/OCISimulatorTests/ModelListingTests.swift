import Testing

@testable import OCISimulator

@Suite struct ModelListingTests {
    private static let compartment = "ocid1.tenancy.oc1..x"

    private func listing(pageSize: Int = 10, hasEmptyPage: Bool = false) -> ModelListing {
        ModelListing(
            catalogue: Catalogue(), region: "us-chicago-1", compartments: [Self.compartment], pageSize: pageSize,
            hasEmptyPage: hasEmptyPage)
    }

    private func names(_ listing: ModelListing, _ query: String = "") throws -> [[String]] {
        var pages: [[String]] = []
        var token = ""
        repeat {
            let target = "/20231130/models?compartmentId=\(Self.compartment)\(query)\(token)"
            let page = try listing.models(Query(target: target))
            pages.append((page.body["items"]?.array ?? []).compactMap { $0["displayName"]?.string })
            guard let next = page.next else { break }
            token = "&page=" + next.replacing("+", with: "%2B").replacing("/", with: "%2F").replacing("=", with: "%3D")
        } while pages.count < 100
        return pages
    }

    @Test func `Pages together hold each model once`() throws {
        let all = Catalogue().models(in: "us-chicago-1").map(\.name)
        let pages = try names(listing(pageSize: 4))
        #expect(pages.joined().elementsEqual(all))
        #expect(pages.dropLast().allSatisfy { $0.count == 4 })
        #expect(try names(listing(), "&limit=1000") == [all])
    }

    @Test func `Empty page stands before the last`() throws {
        let pages = try names(listing(pageSize: 10, hasEmptyPage: true))
        #expect(pages.dropLast().last == [])
        #expect(pages.last?.isEmpty == false)
        #expect(pages.joined().count == Catalogue().models(in: "us-chicago-1").count)
    }

    @Test(arguments: [
        ("&capability=TEXT_RERANK", ["cohere.rerank.v3-5"]),
        (
            "&capability=TEXT_RERANK&capability=TEXT_EMBEDDINGS&vendor=Cohere&displayName=cohere.embed-v4.0",
            ["cohere.embed-v4.0"]
        ),
        ("&lifecycleState=CREATING", ["meta.llama-9-8b-instruct"]), ("&vendor=nobody", []),
    ])
    func `Filters are applied`(query: String, expected: [String]) throws {
        #expect(try names(listing(), query) == [expected])
    }

    @Test(arguments: [
        ("", "MissingParameter"), ("?compartmentId=", "MissingParameter"),
        ("?compartmentId=ocid1.tenancy.oc1..y", "NotAuthorizedOrNotFound"),
        ("?compartmentId=ocid1.tenancy.oc1..x&limit=0", "InvalidParameter"),
        ("?compartmentId=ocid1.tenancy.oc1..x&page=offset+/2", "InvalidParameter"),
        ("?compartmentId=ocid1.tenancy.oc1..x&surprise=1", "InvalidParameter"),
    ])
    func `Bad queries are refused`(query: String, code: String) {
        let error = #expect(throws: ServiceError.self) { try listing().models(Query(target: "/m" + query)) }
        #expect(error?.code == code)
    }

    @Test func `Same model has another OCID in another region`() throws {
        let catalogue = Catalogue()
        let name = "meta.llama-3.3-70b-instruct"
        let here = try #require(catalogue.model(name, in: "us-chicago-1")).ocid(in: "us-chicago-1")
        let there = try #require(catalogue.model(name, in: "eu-frankfurt-1")).ocid(in: "eu-frankfurt-1")
        #expect(here != there)
        #expect(catalogue.model(here, in: "eu-frankfurt-1") == nil)
    }

    @Test func `Custom model has its compartment and endpoint`() throws {
        let page = try listing().models(
            Query(target: "/m?compartmentId=\(Self.compartment)&displayName=my-support-bot"))
        let model = try #require(page.body["items"]?[0])
        #expect(model["type"] == "CUSTOM")
        #expect(model["compartmentId"]?.string == Self.compartment)
        let endpoints = try listing().endpoints(Query(target: "/e?compartmentId=\(Self.compartment)"))
        #expect(endpoints.body["items"]?[0]?["modelId"] == model["id"])
    }
}
