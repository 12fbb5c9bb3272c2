/// The regions and realms of Oracle Cloud Infrastructure, and the hosts that follow from them (OCI wire notes 2).
package enum RegionTable {
    package struct Region: Sendable, Equatable {
        package let id: String
        /// Three letters, as in `ORD`.
        package let key: String
        package let realmDomain: String
    }

    /// By id or short key, whatever the case; nil when the table does not know it.
    package static func region(_ name: String) -> Region? {
        byName[name.lowercased()]
    }

    /// The known region id that looks most like `name`.
    package static func nearest(to name: String) -> String? {
        NearestName.of(name, among: all.map(\.id))
    }

    /// Letters, digits and hyphens: what may become part of a host name.
    package static func isWellFormed(_ name: String) -> Bool {
        HostName.isName(name) && !name.contains(".") && !name.contains("_")
    }

    /// `https://inference.generativeai.{region}.oci.{realm domain}`; an unknown region falls into realm oc1.
    package static func inferenceEndpoint(_ name: String) -> BaseURL {
        BaseURL(https: "inference.generativeai.\(host(name))")
    }

    /// `https://generativeai.{region}.oci.{realm domain}`; an unknown region falls into realm oc1.
    package static func managementEndpoint(_ name: String) -> BaseURL {
        BaseURL(https: "generativeai.\(host(name))")
    }

    /// All 85, realm by realm.
    package static let all: [Region] = realms.flatMap { realm in
        realm.regions.split(whereSeparator: { " \n".contains($0) }).compactMap { pair in
            let parts = pair.split(separator: ":")
            guard let id = parts.first, let key = parts.last else { return nil }
            return Region(id: String(id), key: String(key), realmDomain: realm.domain)
        }
    }

    private static func host(_ name: String) -> String {
        let known = region(name)
        return "\(known?.id ?? name.lowercased()).oci.\(known?.realmDomain ?? "oraclecloud.com")"
    }

    private static let byName: [String: Region] = Dictionary(
        all.flatMap { [($0.id, $0), ($0.key.lowercased(), $0)] }, uniquingKeysWith: { first, _ in first })

    private static let realms: [(domain: String, regions: String)] = [
        // oc1
        (
            "oraclecloud.com",
            """
            af-casablanca-1:LEJ af-johannesburg-1:JNB ap-batam-1:HSG ap-chuncheon-1:YNY ap-delhi-1:ONM
            ap-hyderabad-1:HYD ap-kulai-2:JBP ap-melbourne-1:MEL ap-mumbai-1:BOM ap-osaka-1:KIX ap-seoul-1:ICN
            ap-singapore-1:SIN ap-singapore-2:XSP ap-sydney-1:SYD ap-tokyo-1:NRT ca-montreal-1:YUL ca-toronto-1:YYZ
            eu-amsterdam-1:AMS eu-frankfurt-1:FRA eu-madrid-1:MAD eu-madrid-3:ORF eu-marseille-1:MRS eu-milan-1:LIN
            eu-paris-1:CDG eu-stockholm-1:ARN eu-turin-1:NRQ eu-zurich-1:ZRH il-jerusalem-1:MTZ me-abudhabi-1:AUH
            me-dubai-1:DXB me-jeddah-1:JED me-riyadh-1:RUH mx-monterrey-1:MTY mx-queretaro-1:QRO sa-bogota-1:BOG
            sa-santiago-1:SCL sa-saopaulo-1:GRU sa-valparaiso-1:VAP sa-vinhedo-1:VCP uk-cardiff-1:CWL uk-london-1:LHR
            us-ashburn-1:IAD us-chicago-1:ORD us-phoenix-1:PHX us-saltlake-2:AGA us-sanjose-1:SJC
            """
        ),
        // oc2
        ("oraclegovcloud.com", "us-langley-1:LFI us-luke-1:LUF"),
        // oc3
        ("oraclegovcloud.com", "us-gov-ashburn-1:RIC us-gov-chicago-1:PIA us-gov-phoenix-1:TUS"),
        // oc4
        ("oraclegovcloud.uk", "uk-gov-cardiff-1:BRS uk-gov-london-1:LTN"),
        // oc8
        ("oraclecloud8.com", "ap-chiyoda-1:NJA ap-ibaraki-1:UKB"),
        // oc9
        ("oraclecloud9.com", "me-dcc-muscat-1:MCT me-ibri-1:IBR"),
        // oc10
        ("oraclecloud10.com", "ap-dcc-canberra-1:WGA"),
        // oc14
        (
            "oraclecloud14.com",
            """
            eu-dcc-dublin-1:ORK eu-dcc-dublin-2:SNN eu-dcc-milan-1:BGY eu-dcc-milan-2:MXP eu-dcc-rating-1:DUS
            eu-dcc-rating-2:DTM
            """
        ),
        // oc15
        ("oraclecloud15.com", "ap-dcc-gazipur-1:DAC"),
        // oc19
        ("oraclecloud.eu", "eu-frankfurt-2:STR eu-madrid-2:VLL"),
        // oc20
        ("oraclecloud20.com", "eu-jovanovac-1:BEG"),
        // oc21
        ("oraclecloud21.com", "me-alrayyan-1:VVE me-dcc-doha-1:DOH"),
        // oc23
        ("oraclecloud23.com", "us-somerset-1:EBB us-thames-1:EBL"),
        // oc24
        ("oraclecloud24.com", "eu-crissier-1:AVF eu-dcc-zurich-1:AVZ"),
        // oc26
        ("oraclecloud26.com", "me-abudhabi-3:AHU me-alain-1:RBA"),
        // oc29
        ("oraclecloud29.com", "me-abudhabi-2:RKT me-abudhabi-4:SHJ"),
        // oc35
        ("oraclecloud35.com", "ap-chuncheon-2:BNO ap-seoul-2:DTZ ap-suwon-1:DLN"),
        // oc42
        ("oraclecloud42.com", "us-ashburn-2:YXJ us-newark-1:PGC"),
        // oc51
        ("oraclecloud51.com", "eu-budapest-1:JSK"),
        // oc52
        ("oraclecloud52.com", "sa-riodejaneiro-1:HNW"),
    ]
}
