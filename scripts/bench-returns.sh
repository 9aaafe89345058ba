#!/usr/bin/env bash
# How long a June day takes: restitutions under a campaign, their orders, and the calendar's night over all loans.
#
#   scripts/bench-returns.sh [TABLETS] [RESTITUTIONS] [sqlite|postgresql]      100000 25000 sqlite unless told
set -euo pipefail
cd "$(dirname "$0")/.."
tablets=${1:-100000} returns=${2:-25000} engine=${3:-sqlite}
bench=(cargo run --quiet ${ARDOISE_BENCH_PROFILE---release} -p testkit --example returns -- "$tablets" "$returns" "$engine")
if [ "$engine" = postgresql ]; then
    exec scripts/with-postgresql.sh "${bench[@]}"
fi
exec "${bench[@]}"
