#!/usr/bin/env bash
# Figures: of this program on this machine, or of any server.
#
#   scripts/bench.sh connect [OPTION…]      everything by itself: database, server, tablets, figures
#   scripts/bench.sh returns [TABLETS] [RESTITUTIONS] [ENGINE]      a June day of restitutions, and the calendar's night
#   scripts/bench.sh base-change [OPTION…]  a change of the base for a whole département
#   scripts/bench.sh LOAD FOLDER [OPTION…]  loads a server that runs already, ours or another
#   scripts/bench.sh --help
set -euo pipefail
cd "$(dirname "$0")/.."

page() {
    cat <<'PAGE'
FIGURES OF ARDOISE ON THIS MACHINE
  make bench ARGS="connect --engine postgresql --tablets 10000 --json"
starts a PostgreSQL of its own on a real disk with full durability, the server as it is released, and tablets, each
in processes of their own; measures; reads back from the tables what was answered; and leaves nothing behind.
  make bench ARGS="connect --help"        what is measured, and all that can be chosen
  make bench ARGS="base-change"          how long a change of the base takes for 100,000 tablets, and what is signed
What was measured, where, and what limits it: docs/performance.md.

  make bench ARGS="returns 100000 25000 postgresql"
receives so many tablets under a campaign, class by class over the API, waits for their erase orders, then for the
calendar's night over all loans.

FIGURES OF ANY SERVER THAT RUNS ALREADY
  make bench ARGS="idle FOLDER …"         and token-update, cycle, enrol, as follows

PAGE
}

case ${1:-} in
connect)
    shift
    exec scripts/bench-connect.sh "$@"
    ;;
returns)
    shift
    exec scripts/bench-returns.sh "$@"
    ;;
base-change)
    shift
    exec scripts/bench-base-change.sh "$@"
    ;;
"" | -h | --help | help)
    page
    scripts/install.sh build
    exec cargo run --quiet --release --package tablets -- bench --help
    ;;
*)
    scripts/install.sh build
    exec cargo run --release --package tablets -- bench "$@"
    ;;
esac
