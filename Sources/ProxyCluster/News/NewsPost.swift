/// News on its way into the engine, which keeps the latest of each topic.
package struct NewsPost: Equatable, Sendable {
    package var topic: String
    /// Digits, of one length within a topic: the engine keeps the highest.
    package var rank: String
    /// Milliseconds for which the engine keeps it; 0 is for good.
    package var life: Int64
    package var body: [UInt8]

    package init(topic: String, rank: String, life: Int64, body: [UInt8]) {
        self.topic = topic
        self.rank = rank
        self.life = life
        self.body = body
    }
}
