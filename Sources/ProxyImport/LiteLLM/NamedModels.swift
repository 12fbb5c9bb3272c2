/// What the names of `model_list` stand for in the proxy.
struct NamedModels: Sendable {
    /// A name that clients use.
    struct Group: Sendable {
        let name: String
        /// By `order`, then as in the file.
        var members: [Member] = []

        /// What it stands for, each once, the best first.
        var targets: [String] {
            var seen: Set<String> = []
            return members.map(\.target).filter { seen.insert($0).inserted }
        }
    }

    struct Member: Sendable {
        let deployment: Deployment
        /// As `[MODELS]` writes it: a model's id, or `provider/model`.
        let target: String
        /// Others answer for this target as well, who in LiteLLM did not under this name.
        let isShared: Bool
    }

    /// In the order of the file.
    private(set) var groups: [Group] = []
    /// Providers of which all models are served.
    private(set) var openProviders: Set<String> = []

    init(_ deployments: [Deployment], endpoints: [ProviderUse], providers: [String]) {
        for (name, use) in zip(providers, endpoints) where use.servesAll { openProviders.insert(name) }
        var upstreamsOf: [String: Set<Int>] = [:]
        var upstreamsOfName: [String: Set<Int>] = [:]
        var accounts: Set<Int> = []
        let targets = deployments.map { Self.target(of: $0, providers) }
        for (deployment, target) in zip(deployments, targets) {
            let upstream: Int
            switch deployment.upstream {
            case .oci(let account):
                upstream = account
                accounts.insert(account)
            case .provider(let endpoint): upstream = endpoint
            }
            upstreamsOf[target, default: []].insert(upstream)
            upstreamsOfName["\(deployment.name)\n\(target)", default: []].insert(upstream)
        }
        var places: [String: Int] = [:]
        for (deployment, target) in zip(deployments, targets) {
            let own = upstreamsOfName["\(deployment.name)\n\(target)"]?.count ?? 0
            // Whichever account has the model may be asked for it.
            let all: Int =
                if case .oci = deployment.upstream { accounts.count } else { upstreamsOf[target]?.count ?? 0 }
            let member = Member(deployment: deployment, target: target, isShared: own < all)
            if let place = places[deployment.name] {
                groups[place].members.append(member)
            } else {
                places[deployment.name] = groups.count
                groups.append(Group(name: deployment.name, members: [member]))
            }
        }
        for index in groups.indices where groups[index].members.contains(where: { $0.deployment.orderMember != nil }) {
            // Stable: those of one order stay as in the file.
            groups[index].members = groups[index].members.enumerated().sorted {
                ($0.element.deployment.order, $0.offset) < ($1.element.deployment.order, $1.offset)
            }.map(\.element)
        }
    }

    private static func target(of deployment: Deployment, _ providers: [String]) -> String {
        switch deployment.upstream {
        case .oci: deployment.model
        case .provider(let endpoint): "\(providers[endpoint])/\(deployment.model)"
        }
    }
}
