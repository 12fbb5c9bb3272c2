import Synchronization

/// The door that is open now. Each request comes in by the one of its moment and stays with it.
final class Doors: Sendable {
    private let door: Mutex<FrontDoor>

    init(_ door: FrontDoor) { self.door = Mutex(door) }

    var current: FrontDoor { door.withLock { $0 } }

    /// Requests that arrive from now on come in by another door.
    func replace(with new: FrontDoor) { door.withLock { $0 = new } }
}
