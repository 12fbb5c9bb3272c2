import Synchronization

/// The front door of the present configuration. Each request comes in by that of its moment and stays with it.
final class CurrentFrontDoor: Sendable {
    private let door: Mutex<FrontDoor>

    init(_ door: FrontDoor) { self.door = Mutex(door) }

    var value: FrontDoor { door.withLock { $0 } }

    /// Requests that arrive from now on come in by another door.
    func replace(with new: FrontDoor) { door.withLock { $0 = new } }
}
