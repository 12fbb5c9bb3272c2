import Synchronization

/// The last requests that have ended, in memory, for whoever asks what has become of one.
///
/// Who writes the ledger puts them here when they have been written, so that they cost a request nothing.
package final class RecentEntries: Sendable {
    package static let capacity = 10_000
    /// Rows in one page. What comes in small pages is gathered: a page has room for more than it holds.
    private static let pageRows = 256

    private struct State {
        /// The newest last.
        var pages: [EntryPage] = []
        var count = 0

        /// The last page takes another row.
        mutating func makeRoom() {
            if pages.isEmpty || pages[pages.count - 1].count >= RecentEntries.pageRows { pages.append(EntryPage()) }
        }

        mutating func drop(beyond capacity: Int) {
            while !pages.isEmpty, count - pages[0].count >= capacity {
                count -= pages[0].count
                pages.removeFirst()
            }
        }
    }

    private let capacity: Int
    private let state = Mutex(State())

    package init(capacity: Int = RecentEntries.capacity) { self.capacity = capacity }

    package var count: Int { state.withLock { min($0.count, capacity) } }

    /// Keeps the requests of a page, the newest last.
    package func keep(_ page: EntryPage) {
        guard page.count > 0 else { return }
        state.withLock { state in
            for row in page.rows {
                state.makeRoom()
                state.pages[state.pages.count - 1].append(row, of: page)
            }
            state.count += page.count
            state.drop(beyond: capacity)
        }
    }

    /// The story of a request; the newest, where several have one id.
    package func story(of id: String) -> RequestStory? {
        let id = Array(id.utf8)
        return state.withLock { state in
            for page in state.pages.reversed() {
                if let row = page.rows.last(where: { page.text($0.id).elementsEqual(id) }) { return page.story(row) }
            }
            return nil
        }
    }

    /// The last so many, the newest first. They come in by threads, a quarter of a second of each behind the other, so some more are looked at.
    package func last(_ most: Int) -> [RequestStory] {
        let stories = lastKept(most * 2).sorted { ($0.at, $0.id) > ($1.at, $1.id) }
        return Array(stories.prefix(most))
    }

    private func lastKept(_ most: Int) -> [RequestStory] {
        state.withLock { state in
            var stories: [RequestStory] = []
            for page in state.pages.reversed() {
                for row in page.rows.reversed() {
                    guard stories.count < most else { return stories }
                    stories.append(page.story(row))
                }
            }
            return stories
        }
    }
}

/// Where there is no ledger, requests that have ended go here directly: into the page where they stay.
extension RecentEntries: EntryRecorder {
    package func record(_ write: (inout EntryPage) -> Void) {
        state.withLock { state in
            state.makeRoom()
            write(&state.pages[state.pages.count - 1])
            state.count += 1
            state.drop(beyond: capacity)
        }
    }
}
