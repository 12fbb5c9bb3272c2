/// Several instances that keep one set of limits.
package struct SharedStateSettings: Sendable, Equatable {
    /// `shared_state`; nil: this instance is alone.
    package var address: SharedStateAddress?
    /// Those of one name belong together: letters, digits, `-`, `_` and `.`, 1 to 64.
    package var cluster = "default"
    /// How many there are at least: what limits are divided by while there is no engine.
    package var instances = 1

    package init() {}
}
