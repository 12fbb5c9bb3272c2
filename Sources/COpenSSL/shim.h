#pragma once
// libcrypto of the system (Debian: libssl-dev). Why not swift-crypto: docs/decisions/0001-openssl-for-rsa.md
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
