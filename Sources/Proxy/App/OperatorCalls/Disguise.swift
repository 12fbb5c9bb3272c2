#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Root does something as another user: so files are made as that user makes them, and nothing that this user has laid out can lead root elsewhere.
enum Disguise {
    /// - Returns: false when this process may not become that user; then nothing has changed.
    static func begin(as user: uid_t, _ group: gid_t) -> Bool {
        guard SystemCall.leaveGroups(), setegid(group) == 0 else { return false }
        guard seteuid(user) == 0 else {
            _ = setegid(getgid())
            return false
        }
        return true
    }

    static func end() {
        _ = seteuid(getuid())
        _ = setegid(getgid())
    }
}
