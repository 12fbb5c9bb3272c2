import Logging
import ProxyCluster
import ServiceLifecycle

/// Keeps an instance one among others: an exchange with the engine each second, which no request waits for. What is decided, `ClusterMember`
/// and the engine's script decide; this opens connections, tells the time, and says what has come of it.
struct ClusterKeeper: Service {
    let engine: any Engine
    let keys: ExchangeKeys
    /// Made up anew by each process.
    let instance: String
    let leastInstances: Int
    let limits: any SharedLimits
    let news: [any SharedNews]
    /// What keys use.
    let meters: SharedMeters
    let bell: ExchangeBell
    let status: ClusterStatus
    let time: TimeSource
    let random: @Sendable () -> Double
    let logger: Logger

    /// Runs until the service group stops it, or its task is cancelled; then it gives back what it has, as far as the engine can be asked.
    func run() async {
        let inbox = NewsInbox()
        var talk = await cancelWhenGracefulShutdown {
            async let listening: Void = inbox.listen(to: keys.channel, at: engine, on: time, random: random)
            var talk = ClusterTalk(self)
            while !Task.isCancelled {
                await talk.exchange()
                let end = time.now() + talk.member.delay(jitter: random())
                repeat {
                    guard (try? await time.sleep(min(time.now() + talk.member.times.early, end))) != nil else { break }
                    await talk.hear(inbox.take())
                } while time.now() < end && !bell.answer()
            }
            await listening
            return talk
        }
        await talk.leave()
    }
}
