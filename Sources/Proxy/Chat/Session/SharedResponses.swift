import ProxyCluster
import ProxyRouting

/// Responses that clients have had kept, for all instances: whichever a client asks next knows what it builds on.
struct SharedResponses: SharedNews {
    let documents: SharedDocuments
    let store: ResponseStore
    let makers: ResponseMakers
    let time: TimeSource

    /// For what is kept here from now on.
    var archive: ResponseArchive {
        ResponseArchive(
            keep: { name, bytes, lifetime in
                documents.keep(name, bytes, for: lifetime)
                guard name.kind == .response,
                    let kept = ResponseStore.Kept(encoded: bytes, expires: .zero)
                else { return }
                // By which others find the response when they are asked for an item of it.
                for item in kept.output {
                    documents.keep(
                        .init(kind: .item, id: item.id, key: name.key), Array(name.id.utf8), for: lifetime)
                }
            },
            // It has to make room here; the engine has its own bounds, and others may need it.
            forget: { _ in }, erase: { try await documents.erase($0) })
    }

    /// Brings what a request names and this instance does not know. Where nothing is missing, nobody is asked.
    ///
    /// - Parameter key: what stands for the client's key.
    /// - Throws: 503 when it cannot be known whether another instance has it.
    func bring(responses: [String], items: [String] = [], of key: String) async throws(Failure) {
        let shelf = store.shelf(of: key)
        guard shelf.isOn else { return }
        func missing() -> [ResponseArchive.Name] {
            func isUnknown(_ id: String) -> Bool {
                (1...ResponseMakers.longestID).contains(id.utf8.count) && makers.known(id, to: key) == .nothing
            }
            let responses = responses.prefix(Self.most).filter { shelf[$0] == nil && isUnknown($0) }
            let items = items.prefix(Self.most).filter { shelf.item($0) == nil && isUnknown($0) }
            return responses.map { .init(kind: .response, id: $0, key: key) }
                + items.map { .init(kind: .item, id: $0, key: key) }
                + (responses + items).map { .init(kind: .maker, id: $0, key: key) }
        }
        for round in 0..<2 {
            let names = missing()
            guard !names.isEmpty else { return }
            // It may have been kept a moment ago, and be on its way.
            if round > 0, (try? await time.sleep(for: Self.delay)) == nil { return }
            do {
                try await take(names)
            } catch {
                throw Failure(
                    .overloaded(.ledger),
                    "What this request builds on may be kept by another instance of the proxy, and their shared state cannot be asked now. Try again in a moment, or send the whole conversation.",
                    retryAfter: 2)
            }
        }
    }

    /// Of one request, by kind.
    private static let most = 100
    private static let delay = Duration.milliseconds(250)

    private func take(_ names: [ResponseArchive.Name]) async throws {
        var found = zip(names, try await documents.fetch(names)).compactMap { name, document in
            document.map { (name: name, document: $0) }
        }
        let ofItems = found.filter { $0.name.kind == .item }.map {
            ResponseArchive.Name(
                kind: .response, id: String(decoding: $0.document.bytes, as: UTF8.self), key: $0.name.key)
        }
        if !ofItems.isEmpty {
            found += zip(ofItems, try await documents.fetch(ofItems)).compactMap { name, document in
                document.map { (name: name, document: $0) }
            }
        }
        let (now, wall) = (time.now(), time.wallClock())
        let taken = found.map {
            ResponseArchive.Document(
                name: $0.name, bytes: $0.document.bytes, expires: now + .seconds($0.document.expires - wall))
        }
        store.take(taken)
        makers.take(taken)
    }

    // MARK: News

    func told(_ clock: EngineClock) -> [News] {
        documents.takeErased().map { .erased(document: $0, until: clock.time + NewsBoard.longestRest) }
    }

    func hear(_ change: NewsBoard.Change, _ clock: EngineClock) {
        guard case .erase(let key) = change else { return }
        store.drop { documents.key($0) == key }
    }
}
