import Proxy
import ProxyCluster

#if Cluster
    import ProxyEngine
#endif

/// What this program speaks to an engine with: nothing without the package's trait `Cluster`.
enum OwnEngine {
    #if Cluster
        static let maker: EngineMaker? = { address, name, authorities in
            let place: RedisEngine.Place =
                switch address.place {
                case .unix(let path): .unix(path)
                case .host(let host, let port, let isTLS): .host(host, port: port, isTLS: isTLS)
                }
            return RedisEngine(
                at: place, trusting: authorities,
                as: .init(
                    user: address.user, password: address.password?.reveal(), database: address.database, name: name))
        }
    #else
        static let maker: EngineMaker? = nil
    #endif
}
