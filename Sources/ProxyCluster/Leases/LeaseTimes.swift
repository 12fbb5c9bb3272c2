/// How long things take. All instances of a cluster have the same.
package struct LeaseTimes: Equatable, Sendable {
    /// From an exchange on, by the engine's clock.
    package var lease = Duration.seconds(5)
    /// From one exchange to the next, spread by a fifth to both sides.
    package var exchange = Duration.seconds(1)
    /// An exchange that was not answered by then has failed.
    package var timeout = Duration.seconds(1)
    /// By this an instance believes its lease to end earlier than the engine does: clocks that run at different speeds, up to 2 %.
    package var margin = Duration.milliseconds(100)
    /// For so long a failed exchange is proof that the engine is gone. Longer than from one failure to the next.
    package var proof = Duration.seconds(3)
    /// The least from one exchange to an early one.
    package var early = Duration.milliseconds(200)

    package init() {}
}
