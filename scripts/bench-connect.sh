#!/usr/bin/env bash
# What one machine does for its tablets: idle connects, token updates, whole commands, enrolments, handshakes a
# second, with their latencies and the server's memory.
#
#   scripts/bench-connect.sh [OPTION…]      see --help
#
# The database, the server and the load are processes of their own. A figure is printed only if the rows read back
# from the tables are as many as the answers that were counted.
set -euo pipefail
cd "$(dirname "$0")/.."

help() {
    cat <<'HELP'
make bench ARGS="connect [OPTION…]"

  --engine ENGINE      postgresql or sqlite; postgresql unless told
  --tablets N          how many tablets the database has; 10000 unless told
  --figures LIST       some of enrol,idle,token-update,cycle,signature,tls,handshake,open,resumption,fleet,broadcast,
                       start,connections,pushes; the first eight unless told
  --for SECONDS        how long each is measured, after 2 s that are not; 10 unless told
  --connections N      how many connections are kept busy; 64 unless told
  --rounds N           all of it so often, each time in a new database; each figure is then that of the round with
                       the median rate. 1 unless told
  --in FOLDER          where the database lies, on a real disk; target/bench unless told
  --json               one line of JSON for each figure, and nothing else

WHAT IS MEASURED
  enrol         Authenticate and TokenUpdate, once by each tablet
  idle          a tablet asks what there is to do, and there is nothing
  token-update  a tablet tells its push token
  cycle         a person queues a command through the API, the tablet fetches it, the tablet acknowledges it
In the clear, as behind a proxy that ends TLS and forwards the certificate (RFC 9440); then
  signature     idle, proved by an Mdm-Signature that was made beforehand
  tls           idle, over mutual TLS that is kept alive
  handshake     idle, each time with a TLS handshake
  resumption    as handshake, by so few tablets that each comes again, and goes on with its TLS session
  open          idle in an open loop, at 70 % of the rate of `idle`: latency counts from the time that was meant
  broadcast     one command for every tablet through the API, until each has its row and is due to be woken
  start         a server's start with all these tablets in its database, until it is ready
  connections   the server's memory for each open TLS connection: 2,048 busy ones against 64
  fleet         the largest fleet that wakes within ten minutes while 99 of 100 connects, each with its TLS handshake, are
                answered within 100 ms: ever more connects in an open loop, until they are not
  pushes        one push for every tablet into a stand-in for Apple's service, from the moment a push certificate is set
                until the last one is recorded. It comes after `enrol`, and after everything else

yardstick_rate says what the database does by itself, just before each figure: on PostgreSQL `pgbench -S -M prepared`
with 16 clients, on SQLite the same reads in a bare loop on each processor. Figures of two machines, or of a busy one,
are compared by their ratio to it. Beside the database, in --in, FIGURE.json keeps all that the last load found: the
latencies of each step, and what went wrong. server_rss_mb is the server's largest memory during the load (VmHWM).
HELP
}

fail() {
    printf 'ardoise: %s\n' "$*" >&2
    exit 1
}

engine=postgresql tablets=10000 seconds=10 connections=64 rounds=1 json= in=target/bench
figures=enrol,idle,token-update,cycle,open,signature,tls,handshake
while [ $# -gt 0 ]; do
    case $1 in
    --engine | --tablets | --figures | --for | --connections | --rounds | --in)
        [ $# -gt 1 ] || fail "\`$1\` needs a value: make bench ARGS=\"connect --help\""
        ;;&
    --engine) engine=$2 && shift ;;
    --tablets) tablets=$2 && shift ;;
    --figures) figures=$2 && shift ;;
    --for) seconds=${2%s} && shift ;;
    --connections) connections=$2 && shift ;;
    --rounds) rounds=$2 && shift ;;
    --in) in=$2 && shift ;;
    --json) json=yes ;;
    -h | --help)
        help
        exit 0
        ;;
    *) fail "unknown option \`$1\`: make bench ARGS=\"connect --help\"" ;;
    esac
    shift
done
case $engine in postgresql | sqlite) ;; *) fail "\`--engine $engine\`: expected postgresql or sqlite" ;; esac
for number in "$tablets" "$seconds" "$connections" "$rounds"; do
    [[ $number =~ ^[1-9][0-9]*$ ]] || fail "\`$number\` is not a number of something"
done

if [ -z "${ARDOISE_BENCH_BUILT:-}" ]; then
    scripts/install.sh build bench
    cargo build --quiet --release --package ardoise --package tablets >&2
    cargo build --quiet --release --package store --example bare_reads >&2
fi
mkdir -p "$in"
in=$(cd "$in" && pwd)
if [ "$engine" = postgresql ] && [ -z "${ARDOISE_TEST_POSTGRESQL:-}" ]; then
    again=(--engine "$engine" --tablets "$tablets" --figures "$figures" --for "$seconds")
    again+=(--connections "$connections" --rounds "$rounds" --in "$in" ${json:+--json})
    # The cluster's owner must get there.
    exec env ARDOISE_BENCH_BUILT=yes ARDOISE_DURABLE_IN="$in" \
        scripts/with-postgresql.sh scripts/bench-connect.sh "${again[@]}"
fi

# shellcheck source=scripts/bench-house.sh
. scripts/bench-house.sh
# shellcheck source=scripts/bench-figures.sh
. scripts/bench-figures.sh
# shellcheck source=scripts/bench-whole.sh
. scripts/bench-whole.sh

export PGOPTIONS="-c client_min_messages=error"
work=$(mktemp -d "$in/run.XXXXXX")
trap close_everything EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

say "making $tablets tablets"
"$tablets_program" --json seed "$work/fleet" --tablets "$tablets" --server-url https://localhost/mdm/connect \
    --topic com.apple.mgmt.External.bench >"$work/seeded.json"
for round in $(seq "$rounds"); do
    say "round $round of $rounds: $engine, $tablets tablets"
    open_house "$round"
    for figure in ${figures//,/ }; do
        case $figure in
        fleet | broadcast | start | connections | pushes) "measure_$figure" || missing=yes ;;
        *) measure "$figure" || missing=yes ;;
        esac
    done
    close_house
done
show
[ -z "${missing:-}" ] || fail "some figures are missing; why is said above"
