#!/usr/bin/env bash
# The tests of one room, with PostgreSQL beside them.
#
#   scripts/room.sh ROOM [ARGUMENT OF THE TEST RUNNER…]
set -euo pipefail
cd "$(dirname "$0")/.."

room=${1:-}
if [ -z "$room" ]; then
    printf 'ardoise: which room? Type "make room ROOM=store". The rooms are:\n' >&2
    find crates -mindepth 1 -maxdepth 1 -type d -printf '  %f\n' | sort >&2
    exit 2
fi
shift

scripts/install.sh build test
if cargo nextest --version >/dev/null 2>&1; then
    exec scripts/with-postgresql.sh cargo nextest run --package "$room" "$@"
fi
exec scripts/with-postgresql.sh cargo test --package "$room" "$@"
