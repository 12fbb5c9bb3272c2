import ServiceLifecycle

/// Reads the configuration again whenever the process is asked to.
struct ReloadRequests: Service {
    let requests: AsyncStream<Void>
    let reloader: Reloader

    /// Runs until the service group stops it, or its task is cancelled.
    func run() async {
        await cancelWhenGracefulShutdown {
            for await _ in requests { _ = await reloader.reload() }
        }
    }
}
