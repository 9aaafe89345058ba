#!/usr/bin/env bash
# `kill -9`, at moments drawn from a seed, in the middle of a storm of reports: the server, PostgreSQL, the wire
# between them. Prints each kill and what was lost, which must be nothing.
#
#   scripts/chaos.sh [--seed N] [--rounds N] [--tablets N] [--engine sqlite|postgresql]
#
# Without --seed it draws one, and prints it: the same seed draws the same kills again. What is promised and what
# must be found is in tests/tests/flows/chaos.rs; `make test` plays a short round of it with a seed that never changes.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    sed -n '5p' "$0" | sed 's/^# *//' >&2
    exit 2
}

seed=$((RANDOM * 32768 + RANDOM)) rounds=20 tablets=24 engines=(sqlite postgresql)
number() { [[ $1 =~ ^[0-9]{1,18}$ ]] || usage; }
while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || usage
    case $1 in
    --seed) number "$2" && seed=$2 ;;
    --rounds) number "$2" && rounds=$2 ;;
    --tablets) number "$2" && tablets=$2 ;;
    --engine) case $2 in sqlite | postgresql) engines=("$2") ;; *) usage ;; esac ;;
    *) usage ;;
    esac
    shift 2
done
[ "$tablets" -gt 1 ] && [ "$rounds" -gt 0 ] || usage

scripts/install.sh build test
cargo build --package ardoise
cargo test --package whole --test flows --no-run --quiet

# Everything is made below this folder, and goes with it.
home=$(mktemp -d "${TMPDIR:-/tmp}/ardoise-chaos.XXXXXX")
chmod 711 "$home" # PostgreSQL may run as another account
trap 'rm -rf "$home"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

failed=()
for engine in "${engines[@]}"; do
    TMPDIR=$home ARDOISE_CHAOS_SEED=$seed ARDOISE_CHAOS_ROUNDS=$rounds ARDOISE_CHAOS_TABLETS=$tablets \
        cargo test --package whole --test flows --quiet -- "chaos::$engine::" --nocapture || failed+=("$engine")
done
if [ ${#failed[@]} -gt 0 ]; then
    printf 'ardoise: FAILED on %s; again with: make chaos ARGS="--seed %s --rounds %s --tablets %s"\n' \
        "${failed[*]}" "$seed" "$rounds" "$tablets" >&2
    exit 1
fi
