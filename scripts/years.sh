#!/usr/bin/env bash
# Random years of loans, lived by simulated tablets and judged by a ledger: thousands of them, optimised, on every processor.
# Prints the seed and how far it is, and stops at the first year that breaks a rule.
#
#   scripts/years.sh [--years N] [--seed N] [--workers N] [--engine sqlite|postgresql]
#
# Without --seed it draws one. Each year has a seed of its own, one more than that of the year before: a year that failed is
# lived again alone by `--years 1` and its seed. What happens in a year and what must not is in
# tests/tests/flows/returns_ledger.rs; `make test` lives three years on each engine, with seeds that never change.
# `ARDOISE_YEARS_PROFILE=` takes the tests as `make test` builds them, without optimisation.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    sed -n '5p' "$0" | sed 's/^# *//' >&2
    exit 2
}

# How many years one process lives: what a server leaves behind in it goes with it.
together=20
years=1000 seed=$((RANDOM * 32768 + RANDOM)) workers=$(nproc) engine=sqlite
number() { [[ $1 =~ ^[0-9]{1,12}$ ]] || usage; }
while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || usage
    case $1 in
    --years) number "$2" && years=$2 ;;
    --seed) number "$2" && seed=$2 ;;
    --workers) number "$2" && workers=$2 ;;
    --engine) case $2 in sqlite | postgresql) engine=$2 ;; *) usage ;; esac ;;
    *) usage ;;
    esac
    shift 2
done
[ "$years" -gt 0 ] && [ "$workers" -gt 0 ] || usage
if [ "$engine" = postgresql ] && [ -z "${ARDOISE_TEST_POSTGRESQL:-}" ]; then
    exec scripts/with-postgresql.sh scripts/years.sh \
        --years "$years" --seed "$seed" --workers "$workers" --engine "$engine"
fi

scripts/install.sh build test
# shellcheck disable=SC2086 # an empty profile is none
binary=$(cargo test ${ARDOISE_YEARS_PROFILE---release} --workspace --test flows --no-run 2>&1 | tee >(cat >&2) |
    sed -n 's/.*Executable .*(\(.*\))$/\1/p')
[ -x "$binary" ] || { echo 'ardoise: the tests were not built' >&2; exit 1; }
[[ $binary = /* ]] || binary=$PWD/$binary

# Everything is made below this folder, and goes with it.
home=$(mktemp -d "${TMPDIR:-/tmp}/ardoise-years.XXXXXX")
declare -A at_work=()
leave() {
    [ ${#at_work[@]} -eq 0 ] || kill "${!at_work[@]}" 2>/dev/null || true
    wait
    rm -rf "$home"
}
lived() { cat "$home"/*.log 2>/dev/null | grep -c '^year [0-9]* passed$' || true; }
begun=$SECONDS
cut_short() {
    echo "ardoise: cut short after $((SECONDS - begun)) s; $(lived) of $years years had passed"
    exit "$1"
}
trap leave EXIT
trap 'cut_short 130' INT
trap 'cut_short 143' TERM

echo "ardoise: $years years on $engine, of the seeds $seed to $((seed + years - 1)), by $workers at a time"

next=$seed end=$((seed + years))
while [ "$next" -lt "$end" ] || [ ${#at_work[@]} -gt 0 ]; do
    while [ "$next" -lt "$end" ] && [ ${#at_work[@]} -lt "$workers" ]; do
        some=$((end - next < together ? end - next : together))
        (
            cd tests
            mkdir "$home/$next"
            TMPDIR=$home/$next ARDOISE_YEARS=$some ARDOISE_YEARS_SEED=$next exec "$binary" --nocapture \
                --exact "returns_ledger::$engine::m3_t_a19_in_random_years_of_simulated_tablets_none_is_erased_against_the_rules"
        ) >"$home/$next.log" 2>&1 &
        at_work[$!]=$next
        next=$((next + some))
    done
    ended='' status=0
    wait -n -p ended "${!at_work[@]}" || status=$?
    first=${at_work[$ended]}
    unset "at_work[$ended]"
    rm -rf "${home:?}/$first"
    if [ "$status" -ne 0 ]; then
        failed=$(sed -n 's/^year \([0-9]*\)$/\1/p' "$home/$first.log" | tail -n 1)
        tail -n 40 "$home/$first.log" >&2
        printf 'ardoise: FAILED in the year of seed %s, after %s that passed; again with: make years ARGS="--years 1 --seed %s --engine %s"\n' \
            "${failed:-$first}" "$(lived)" "${failed:-$first}" "$engine" >&2
        exit 1
    fi
    passed=$(lived)
    # Nothing ran is not nothing failed.
    [ "$passed" -gt 0 ] || { cat "$home/$first.log" >&2; echo 'ardoise: no year was lived' >&2; exit 1; }
    echo "ardoise: $passed of $years years passed after $((SECONDS - begun)) s"
done
cat "$home"/*.log | awk '/ years: lent /{ gsub(",", ""); lent += $4; erased += $6; empty += $9; repaired += $11; deposited += $13 }
    END { printf "ardoise: lent %d, erased %d, proven empty %d, repaired %d, deposited %d times; no rule was broken\n", lent, erased, empty, repaired, deposited }'
