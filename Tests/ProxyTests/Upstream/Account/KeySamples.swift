/// Throw-away PEM texts that the fixtures do not have; made for these tests, they open nothing.
enum KeySamples {
    /// P-256 in PKCS#8.
    static let elliptic = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg1DRkWWE8232hA/Ly
        FumrEYCPKSyN7BBANcK87Dhy9ZKhRANCAARoDcwlEEh+sK+51mAv+Jo3v8lOc1Mg
        zM68hgoWXNkpNrukyIlILRqGQMPwPH+Ie5UeB77w4JH+WxCUwdkU/ezW
        -----END PRIVATE KEY-----
        """

    /// P-256 as `openssl ecparam -genkey` writes it: a block of parameters, then `EC PRIVATE KEY`.
    static let ellipticWithParameters = """
        -----BEGIN EC PARAMETERS-----
        BggqhkjOPQMBBw==
        -----END EC PARAMETERS-----
        -----BEGIN EC PRIVATE KEY-----
        MHcCAQEEIPE2keBO7Y3L81eg2TBkobVJJwHl8sf4Y7hbDt3/TqjgoAoGCCqGSM49
        AwEHoUQDQgAEL1pFDxxVewXihDUuezE1ICzboxTOTALA0y1Rug1PfU9z4KMxbS7a
        ZEBWHhDuaf6IP3bmJhZy6qRNGESZR3AMeA==
        -----END EC PRIVATE KEY-----
        """

    /// Ed25519.
    static let edwards = """
        -----BEGIN PRIVATE KEY-----
        MC4CAQAwBQYDK2VwBCIEIGVCtaKSpIwGOHiYCnXAwx0fZR7IYaMLgsMvG629rZva
        -----END PRIVATE KEY-----
        """

    /// RSA that may only sign with PSS padding.
    static let rsaForPSSOnly = """
        -----BEGIN PRIVATE KEY-----
        MIIEvAIBADALBgkqhkiG9w0BAQoEggSoMIIEpAIBAAKCAQEAuJsuaODkTbdSUU7+
        S4ckhILIVklBvgb/wONrWnJvfryFivBLh61t2XZHbgm0OuTF+EVUIWnSrzjyKytG
        w1MxjcRuwNZuvYDMuS//CFgcyNV3/MwSNfXYnOFrDP8FUyHPl6jrs8fMxrp6nDHU
        3zOk77L5FpUkq/2mqRSYznCRYSLBu1J9lbrweeKVQL+GMeV/1L9di8BrrY++Fpx2
        mLh+u92Uq7LK1q/LJaEUFxlAV2ATh7NYQMNKJO65xVhA8ibdr83j7YMtrqi+ZRNN
        1Mc2YYxQVIzYQCxH95MbW1eoDFuEAM8Evt5EeXxM4dYE97eKsC4OfdogkQGd3fsG
        yiu7VQIDAQABAoIBAAS1sNFsK2bwLmF0qngy0nOvAn1xEQRQGWZKZwq/sKiDFsUc
        rFCh1BOgOOJNzRNTktlqq2LO2FkwEr2XNQ72qGT9hfXVgq3DA3YWC2OjG9jj2VPR
        wQUvaH9YIOsL9o7QZgNwg9LqXgcT6tzhSJUJNEQJROGWnIDmz8GwjNV3eb4IodFn
        qaBc57gDTTDon1Wo7c9DUL2vKHy0S3QEY3ciYhCQzNIhMyWo35FYghB0VaUFLGRk
        lNU9KOI+mcZilTbJGwa2eGmddBAABFfWdMbYpQ+hTwlH1mu8/Ed1GEvzyj8JSV8+
        hdEBpB8kMEfXt8OdMiklm/Z1qzUMqN/K2O6ZDmECgYEA8WYZEDPrMo8BrgaEL2Cq
        00puJ2b16ivSK93xdsPfkDAw2dzzTOtoAm7N9OA9SO0UkvJb9fA2Sf2/fbpkq88I
        WKE+blU7FN5Oyq6Lx0zDHzccrQXjEncwv9Mur2ImlV/JM+NKHWOEoR79pIJPgmmz
        G7/b/Jn37D91q7PdxyDE++cCgYEAw8WvxstgQ+a9z09juRIbhVCTWryxEDn3Hc9a
        PIk79qsVPqVnt6m/BZ5QwzNuBK507pUxOZ1pxDmi+5XrrqZwTzCgvdmG6+IZl96F
        mBe4xkgVM3JbbQvUVT3nhYkaE3dcWw7WMiWJ2SDgvJQyDa5UZCsmaq72xanCKJo7
        woCtB2MCgYEAqcDIQzKfZHBYGA6RCdgKiIbAq4ilycSDCUILuR7IqdaZo7rShPbN
        r1hIELlXn17IpwUzUeFX6/Q6oqlefcsa7WiGRIQ/Bc/GzJStyrraQ6s3yRxor+WN
        LHfPTpnQ1B4FmS1uQvhmnf7zEqpoSycVQqBKjHmhdEqz7siPXqZWn2UCgYEAgiY9
        amqwb9PJYjYENPg9xY5AuDTzfbcbevzrn40YiS9Jq2EpJ6e4r5KFXJAnVwNoB2i1
        1fi5ZNNwb9NGYNCTn4HTiwM/ODgTDazIock7dM5dEdu3vjH8EkNaVKNF66URiBPA
        AIyGLQw3fAcFk6TOw90P6CKzOctWocmPawpCfcMCgYACcJu7a+Iiv06muxafQIj/
        CKy/UW9RzE5NTzrMDJ1m0vyaWYFayzl9k6OdMdOFK+QXyJpIDrnMLbdbYqTQZX4v
        lsJoldDHKuV779bTPNfXHjMAx7joD26OmvaaM0CY4Ep/g3P4Xms+T/na2d7sItsH
        x+/4s9iDI23EkzhtxqH+XA==
        -----END PRIVATE KEY-----
        """

    /// RSA of 1024 bits.
    static let rsa1024 = """
        -----BEGIN PRIVATE KEY-----
        MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBALdpfN4MNebGlPKL
        2sMeZnU8KpXjEtRJ6UfAVsQcv7VMEOwHGazkP08Ut2PBmoumJY7z4FgO22XJ/FIE
        T9+nRebSp85k9Cl5ldEaJY4+K9XCF4wLkD+SIXdjDNa1Z7OU0HM5aUeGrthrGsBq
        tFJyiYhUbtnpJlh1i0nqrQiTtWAXAgMBAAECgYArk7miPD52RUpQUmA4qbloM1Je
        6GOp4qG1dYJn9/ioh5khqxIznMtZ668i2XXxphkYXOM5qNYB2jrD9dhQaDrYFMzS
        u48eCbFzmnwtJTmuM71YzjjghUVZjpRCqXt9PykSfkIcPyQIoOlA2Fnygku5yUft
        8zgFF2PEsJVpmTHuiQJBANuZ5mf3fePy7Fx0N2JPsPI611dNOj80V7B5Y52oPmBS
        ITg3r08aVSKbbhj9+VoNu35834dgz+Rvq4AVHBPBOLMCQQDV0AOiqeGDdg31i7qQ
        1+UhN/4nAetch6MxQWfq0AjdpdVUGEisG6j/1LPm5lMbcGfB6JYn/8MB2ErXh1UB
        DgUNAkEAvSwul5FUGXHCu0JCE6aiv4iAyOv2KUxl3dg0QDQWx9L4Wv1dP79nZ5CN
        n2npy/HYenYH+Q8lB5xLGOMWdM4WkQJAXUR8EXzhbqMUu8PUAlLrFG6EYyenL5nL
        SjUpy3gsJeOtBx4AtXLraY2zXEmkfxetaxy2Q4SB4FAldZcHMYqYEQJAd2kqFuOx
        1YXDAfTauDR6+WFKL+LfMShMVS46BTHUEX15t3AX1Ib4tb7z2zSq7w3DH75JI4qm
        R/JAKzSn13Q4Kw==
        -----END PRIVATE KEY-----
        """

    /// The same in PKCS#1 under DES-EDE3-CBC, passphrase `secret`.
    static let rsa1024TripleDES = """
        -----BEGIN RSA PRIVATE KEY-----
        Proc-Type: 4,ENCRYPTED
        DEK-Info: DES-EDE3-CBC,949130D30C96171F

        jPT32LUmWPgMZwd4NUvdwUPF/LLg8qgqHdppqmPNsaWmVq5SArqlVku7WlsAiod2
        8IVzRQUsloQqKWcVa+8VyJSlyx5LkgBeJY6kGrtGHu8V+yLKSWREEwCjslC08qZU
        YurOTu9Ptlb7WNWSi3f3lpt/sisjqj4DhjtULyU9korHmF6ZjAZuBWIBSYM8Yt9r
        gdsG2DINS0QC+M74JN29MqK7RXJ0kKGsUWL8kzig63Na80t1L3tPmYnhgvi0dxiW
        M2i0z+oFgHd/kS11CeTIuVrOQQ5o9NRf7rC/qGU8Baf5holHypsx41u1H7oqT95Q
        NLBhJPOaCdH5GtpIvzb9lQYv8IK1TE+8bJqH5EOCvZ/oQtah4Pr8y+2crsPJatbg
        qJursvhBNufuKE3CjCpAL+qlmRLORWf9QaSuX3fNmhnH3BSgedMNpqrnBf6qnj0u
        gxwbSWcCZ2KOlVVaiKgx/e6SjAVpgOOuUMbxKmp/E/qtKl2ETa+vqE5ZeesuuMOJ
        wLMO/Od68OTt1Jl4R3cuHi2RJrq6k2g3NxraTVEAYOiIhD4K+a1YP3ApF4oG/VHd
        mEu6y5Q5uEjs0+D2QWFg0L3lWqlHcZXI6ataB7ZCMIRyJdY0EyhjclIiZRQ33Ygs
        EooNh2TehXavQMEymeRRKcHAuDTHztVCP7FAZI7ES5XG/QFmiTXKGjuHzdkDqMbh
        RubI5mF9Su+eIzB62dAp2rb+j64/KcBnD5P6bOuZe3gwXLOdAp1f9Up8qb9IMZU8
        u+87rz4yUsTYwq73D9LyifUo9OIEgMy24ML7nrD9oXZ77VFu1yi5/g==
        -----END RSA PRIVATE KEY-----
        """

    /// The same in PKCS#1 under DES-CBC, passphrase `secret`: OpenSSL 3 only reads it with its legacy provider.
    static let rsa1024DES = """
        -----BEGIN RSA PRIVATE KEY-----
        Proc-Type: 4,ENCRYPTED
        DEK-Info: DES-CBC,38A432CFC9B8A7E5

        rK6umKqDLrwmyrTwxrYivLC9qB2yOdOoTzqrjumrHNt6IaraUhjn7GhnwfJ03Vnn
        XTJBOm4KZSdyCo12BuHp4JFZGVj7PXiUvp0mdVuo58sWN+755FBrzl6ULqlYKGvV
        t2LIaRgUfLRpd+E/DFNGrnwMI+xavClKee2k57NmbO+DczG6AQArdYbeqs0eqcBQ
        vpMRURRrPYIZT1rhlL4Amc8CA/XHyUeOoEzA5hhV0Qne4XvkYe4UaJAoVhFuOfbM
        ePlOgTv45whOXAqiXLdTxoRhMgxHP5FJMHHF6s9OkMd/00iDhcOVCoa4YmTtcPE0
        FzojkOM42CkHM8xwK0i0sQikJsdp52UZe+zq2cyvKjnRcD6YlTzl1PFxC9Dwj53i
        fiE3jnP9oVaP4+Gj+Tf0kbJatTANpObjFwwCbSHvM9Nd1AJjfOFI4CVHoGy0Yinf
        rRdpidzKxCdzUVe+L9Ow/XGJd5CmVwfA8/pNDO2zgNEJs9keT6i04Wh9sCXpfFYT
        IDYoRAMwZkb20XbGfnv42IEr9t+HAy8UnCbl/3D4vfr8FVinDlZG1eFi9EUwQNFv
        hSbzlXFics8r50cdhbbW5S0uNqevfcZrk2cMYO4NXEpQW/Wo5SiilngoirRnUfXm
        bb5b3BuYtKeBKuikQ5ZeILuLu0eYZRLuo0wm7otyUKpiQ9tFVxpaUcdYYYsGV6aV
        90140Y3WIZP9A4pSAXmeNkLr7Xy31qynSW591q27WQkVlva7JU0gUACDJ4xHvbRk
        KDv2kKD9z/e9/oBY1lk9gzrGCkk6/QGsBOCNh9GKBtqLBA4PGfpb3Q==
        -----END RSA PRIVATE KEY-----
        """

    /// The same in PKCS#8 under PBES1 with MD5 and DES, passphrase `secret`: legacy as well.
    static let rsa1024PBES1 = """
        -----BEGIN ENCRYPTED PRIVATE KEY-----
        MIICoTAbBgkqhkiG9w0BBQMwDgQI98KTYHGz2XoCAggABIICgHoOt5IWvDbKC0+v
        Fb7PW85pjZdx9tw2uPNzd6Hguizsh3tQGeEUSg75/mC9mqJVl2dZ+CK9Dlf/wY0F
        sbwTaKJqjhaAJ7HVKP3Ret3T0e9F5SXIUWJ9+rhrRH8MrIpxeVzIeBNmoHk9oX1m
        RCAzkZvEKFgamRJ8i0O0yHDq+AYaoqky/F9Q7JFy73RQyu0ACpDzyW/fvcjE01M/
        HUQF9/RX30IAb56JJyEKZQoxLsaLau/gaRADb87jq1qbxb3ayxP9dT3fzrTvRZOJ
        l9kOc5WOSuhPNgZsKdn5i/osFua1JYb9wzDI6vKP8myjPTJG4WNXsUcEhhuZcfgV
        2STgMhVMQVqTmDuEW9TIICwDxYw0rSj4YCidQZXOjNeIcnBFmPTwWf1HG2hV0tLs
        NwNr8ij3Ah0TdMkrXjnZ+oG3QvkPQAsSwKpmsM2MUFI2pIDm96tMrXxED1ikmCfT
        s2h+iFj4nGqCsW4aSr4WVqd25XNEHAW70OpvEb7egzF2W5Qb4ZYpSitGfxRWvPs4
        xAHmnvkdln6IlagnMJenH5Tqryl1+F+IZTKUaAoulZdnQoA+I8EPqd8UB5GnxUJf
        qkzippkANCYWzUQWtrr65HsyOgO1agUDQGUMoM1xVDJfdQ4qvXVKhY2+8DOd7rTf
        BLZ7Bn3Nw8cjLWmHuu0plxTjomBDtWXwT1oy5IwzhFE+qRFxaKKrG0OY2FEQ8+ZU
        X7bj4ilpUlJ71xshLynIkldV0suFX27LWpd9VxR40N9bmaw1CSyxEDmQe0LemNZ8
        NRkfux7bIqZNnqAPseqrWggf3OTkZIWGp7mvTOSjFavzrT6qOgdrDapyWiNJ/GsD
        D/Tm5cs=
        -----END ENCRYPTED PRIVATE KEY-----
        """

    /// Its public half in PKCS#1.
    static let rsa1024PublicPKCS1 = """
        -----BEGIN RSA PUBLIC KEY-----
        MIGJAoGBALdpfN4MNebGlPKL2sMeZnU8KpXjEtRJ6UfAVsQcv7VMEOwHGazkP08U
        t2PBmoumJY7z4FgO22XJ/FIET9+nRebSp85k9Cl5ldEaJY4+K9XCF4wLkD+SIXdj
        DNa1Z7OU0HM5aUeGrthrGsBqtFJyiYhUbtnpJlh1i0nqrQiTtWAXAgMBAAE=
        -----END RSA PUBLIC KEY-----
        """

    /// RSA of 512 bits.
    static let rsa512 = """
        -----BEGIN PRIVATE KEY-----
        MIIBUwIBADANBgkqhkiG9w0BAQEFAASCAT0wggE5AgEAAkEAuHGVlHOoA5rTSmdE
        DkfKCpv0Zl55echlRQzdnlQUSxu4tp7XAFEFGzkhw3C4mrOOoPtQt9u9GK8Vm7j0
        p+oxwQIDAQABAkA5axK3vjGFvcMdHHyxPWQGXXp+C9chNGNiVZkAWwheQOG31Cde
        7nupJciBKDdHpaI/ZqsEiY1aZ1ouA3/JNaJJAiEA3Dun+yLXd+d+4ESt9xEnxTlI
        v+zRyvA8Fe55OgyAFbcCIQDWZfX9lHk+NLAr+fiUnjAwbz1jmx/OOMCjG2ws+900
        RwIgWgCrSq/XfLIHoOGQctr49NnPSFgg+J2rAI9/zWBUbAsCID/gpQfmYrE79XlE
        wuFUuDrWCc5Re4pvskVmeDZ23BMlAiBcxwJVMRtu+FbaFInlGguBsXhT0cMyZRGo
        QeNkzIeL8w==
        -----END PRIVATE KEY-----
        """

    /// A self-signed certificate.
    static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIB9DCCAV2gAwIBAgIUbvD5FMx9JimQIlnmcFvOiJ46hkwwDQYJKoZIhvcNAQEL
        BQAwDDEKMAgGA1UEAwwBdDAeFw0yNjExMjEwNzAyMTBaFw0zNjExMTgwNzAyMTBa
        MAwxCjAIBgNVBAMMAXQwgZ8wDQYJKoZIhvcNAQEBBQADgY0AMIGJAoGBALdpfN4M
        NebGlPKL2sMeZnU8KpXjEtRJ6UfAVsQcv7VMEOwHGazkP08Ut2PBmoumJY7z4FgO
        22XJ/FIET9+nRebSp85k9Cl5ldEaJY4+K9XCF4wLkD+SIXdjDNa1Z7OU0HM5aUeG
        rthrGsBqtFJyiYhUbtnpJlh1i0nqrQiTtWAXAgMBAAGjUzBRMB0GA1UdDgQWBBS6
        UO8bIkctFN25XZKdKMF7hSPrODAfBgNVHSMEGDAWgBS6UO8bIkctFN25XZKdKMF7
        hSPrODAPBgNVHRMBAf8EBTADAQH/MA0GCSqGSIb3DQEBCwUAA4GBABBeYdcOI+YW
        BfxnKZK1+cLIlPsNrNcHChRQ1Pitr0MMRHimDpyV55b4y2+faN/jsHBhSoAMzXgz
        Tw2cqF0y+bkA4Szzseg6n+/IhkCYecuBpIGUzx250hw8TKgTDa3O7YtsWFBLd42Z
        MLlyMeOAvF30qDBZ70dEzdD4SrhM1am/
        -----END CERTIFICATE-----
        """
}
