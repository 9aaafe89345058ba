#!/usr/bin/env bash
# How long a change of the base takes for a whole département, and how many profiles are signed for it.
#
#   scripts/bench-base-change.sh [OPTION…]      see --help
set -euo pipefail
cd "$(dirname "$0")/.."

help() {
    cat <<'HELP'
make bench ARGS="base-change [OPTION…]"

  --engine ENGINE      postgresql or sqlite; postgresql unless told
  --tablets N          how many tablets there are; 100000 unless told
  --colleges N         in how many collèges, each of which adds something of its own; 187 unless told
  --in FOLDER          where PostgreSQL's files lie, on a real disk; target/bench unless told
  --json               one line of JSON, and nothing else

A base is published, then another that differs in one line. What is measured is the calendar's walk after that: every
tablet is read, the layers of each collège are combined, written for each class of tablets and signed, and every tablet is
put into its new segment and noted to be woken. Each collège has tablets of two systems, so that there are twice as many
segments as collèges; `signed` says how many profiles were signed. The tablets do not come: how fast they are served is
what `connect` measures. `load` is the machine's load average of the last minute; read the seconds with it.
HELP
}

fail() {
    printf 'ardoise: %s\n' "$*" >&2
    exit 1
}

engine=postgresql tablets=100000 colleges=187 json='' in=target/bench
while [ $# -gt 0 ]; do
    case $1 in
    --engine | --tablets | --colleges | --in)
        [ $# -gt 1 ] || fail "\`$1\` needs a value: make bench ARGS=\"base-change --help\""
        ;;&
    --engine) engine=$2 && shift ;;
    --tablets) tablets=$2 && shift ;;
    --colleges) colleges=$2 && shift ;;
    --in) in=$2 && shift ;;
    --json) json=yes ;;
    -h | --help)
        help
        exit 0
        ;;
    *) fail "unknown option \`$1\`: make bench ARGS=\"base-change --help\"" ;;
    esac
    shift
done
case $engine in postgresql | sqlite) ;; *) fail "\`--engine $engine\`: expected postgresql or sqlite" ;; esac
for number in "$tablets" "$colleges"; do
    [[ $number =~ ^[1-9][0-9]{0,6}$ ]] || fail "\`$number\` is not a number of something"
done
[ "$colleges" -le 9999 ] || fail "\`--colleges $colleges\`: at most 9999"

scripts/install.sh build bench
cargo build --quiet --release --package testkit --example base_change >&2
mkdir -p "$in"
in=$(cd "$in" && pwd)
# SQLite's file is in the folder for temporary files.
run=(env TMPDIR="$in" target/release/examples/base_change "$engine" "$tablets" "$colleges")
if [ "$engine" = postgresql ] && [ -z "${ARDOISE_TEST_POSTGRESQL:-}" ]; then
    run=(env ARDOISE_DURABLE_IN="$in" scripts/with-postgresql.sh "${run[@]}")
fi
figure=$("${run[@]}")
if [ -n "$json" ]; then
    printf '%s\n' "$figure"
    exit
fi
printf '%s\n' "$figure" | jq -r '
    "\(.tablets) tablets of \(.colleges) collèges, \(.engine): \(.signed) profiles signed for \(.segments) segments",
    "in \(.seconds) s (\(.first_seconds) s the first time), at a load average of \(.load)"'
