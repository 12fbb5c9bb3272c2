/// What the simulator says when it is not asked to echo, and how fast.
package struct Pacing: Sendable, Equatable {
    /// What parts two events of a stream. Both have been seen (OCI wire notes 4, rule 2).
    package enum Separator: String, Sendable { case blankLine, singleNewline }

    /// Number of text events; nil: as many as the answer has words.
    package var events: Int?
    /// Text of each event when `events` is set, else the whole answer; nil: the answer echoes the question.
    package var text: String?
    /// Time between two text events.
    package var interval: Duration
    /// The model's time to its first token: no byte of the answer is sent before. Applies to whole answers as well.
    package var firstDelay: Duration
    package var separator: Separator

    package init(
        events: Int? = nil, text: String? = nil, interval: Duration = .zero, firstDelay: Duration = .zero,
        separator: Separator = .blankLine
    ) {
        self.events = events
        self.text = text
        self.interval = interval
        self.firstDelay = firstDelay
        self.separator = separator
    }
}
