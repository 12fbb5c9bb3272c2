#pragma once
// hiredis of the system (Debian: libhiredis-dev), for its reader and formatter alone. Why: docs/decisions/0036-cluster-leases.md
#include <hiredis/hiredis.h>
#include <hiredis/read.h>
