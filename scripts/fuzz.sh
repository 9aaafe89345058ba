#!/usr/bin/env bash
# Feeds every parser that a tablet reaches with what nobody sends, for a while, and prints runs and crashes.
#
#   scripts/fuzz.sh [--seconds N] [TARGET…]
#   scripts/fuzz.sh --replay TARGET FILE
#
# The targets are in fuzz/, in cargo-fuzz's layout, and are built here without it: the one stable toolchain can
# instrument (-Cpasses=sancov-module), and libfuzzer-sys brings libFuzzer. There is no address sanitizer, which only
# a nightly has: what is looked for are panics, overflows, stacks and memory without end, and answers that do not come.
#
# What a run learns stays in target/fuzz/corpus, made small again after each run; a crash in target/fuzz/crashes.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    sed -n '4,5p' "$0" | sed 's/^# *//' >&2
    exit 2
}

known=(plist checkin connect declarative status_report machine_info cms scep scep_inside forwarded)
seconds=20 replay='' targets=()
while [ $# -gt 0 ]; do
    case $1 in
    --seconds) [[ ${2:-} =~ ^[1-9][0-9]{0,5}$ ]] || usage; seconds=$2 && shift 2 ;;
    --replay) [ $# -eq 3 ] || usage; targets=("$2") replay=$3 && shift 3 ;;
    -*) usage ;;
    *) targets+=("$1") && shift ;;
    esac
done
[ ${#targets[@]} -gt 0 ] || targets=("${known[@]}")
for target in "${targets[@]}"; do
    [[ " ${known[*]} " == *" $target "* ]] || { printf 'ardoise: the targets are: %s\n' "${known[*]}" >&2; exit 2; }
done
[ -z "$replay" ] || [ -f "$replay" ] || { printf 'ardoise: there is no %s\n' "$replay" >&2; exit 2; }

scripts/install.sh build
home=$PWD/target/fuzz
triple=$(rustc -vV | sed -n 's/^host: //p')
# With --target, what runs while building (build scripts, macros) is not instrumented.
RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares" \
    cargo build --locked --release --manifest-path fuzz/Cargo.toml --target "$triple" --target-dir "$home/build"
programs=$home/build/$triple/release
# One second for one input is far too long; memory is what one request may cost, and more than any should.
bounds=(-timeout=5 -rss_limit_mb=1024 -malloc_limit_mb=256 -max_len=16384)

if [ -n "$replay" ]; then
    exec "$programs/${targets[0]}" "${bounds[@]}" "$replay"
fi

# The golden vectors of `apple`, and messages that fuzz/examples/seeds.rs wrote.
seeds() {
    local vectors=crates/apple/vectors
    case $1 in
    plist) printf '%s\n' "$vectors"/*/ ;;
    checkin) printf '%s\n' "$vectors/checkin" ;;
    connect) printf '%s\n' "$vectors/connect" "$vectors/command" ;;
    *) printf '%s\n' "fuzz/seeds/$1" ;;
    esac
}

crashed=0 runs_of_all=0
printf '%-14s %12s %8s %8s %8s\n' target runs edges corpus crashes
for target in "${targets[@]}"; do
    corpus=$home/corpus/$target crashes=$home/crashes/$target log=$home/$target.log
    mkdir -p "$corpus" "$crashes"
    mapfile -t seeds < <(seeds "$target")
    dictionary=()
    case $target in plist | checkin | connect | machine_info) dictionary=(-dict=fuzz/plist.dict) ;; esac
    failed=0
    "$programs/$target" "${bounds[@]}" "${dictionary[@]}" -max_total_time="$seconds" -print_final_stats=1 \
        -artifact_prefix="$crashes/" "$corpus" "${seeds[@]}" >"$log" 2>&1 || failed=1
    # Only what reaches something that nothing smaller reaches is kept.
    if [ $failed -eq 0 ]; then
        rm -rf "$corpus.small" && mkdir "$corpus.small"
        if "$programs/$target" "${bounds[@]}" -merge=1 "$corpus.small" "$corpus" "${seeds[@]}" >>"$log" 2>&1; then
            rm -rf "$corpus" && mv "$corpus.small" "$corpus"
        fi
    fi
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | head -n 1)
    edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | sort -n | tail -n 1)
    printf '%-14s %12s %8s %8s %8s\n' "$target" "${runs:-0}" "${edges:-0}" "$(find "$corpus" -type f | wc -l)" "$failed"
    runs_of_all=$((runs_of_all + ${runs:-0})) crashed=$((crashed + failed))
    if [ $failed -ne 0 ]; then
        grep -E '^(thread |==|SUMMARY|artifact_prefix)|panicked at' "$log" | head -n 6 >&2 || true
        found=$(find "$crashes" -type f -newer "$programs/$target" -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2-)
        printf 'ardoise: %s crashed; the whole story: %s\n' "$target" "$log" >&2
        [ -z "$found" ] || printf '  again: scripts/fuzz.sh --replay %s %s\n' "$target" "$found" >&2
    fi
done
printf 'fuzz: %d targets, %d runs, %d crashes\n' "${#targets[@]}" "$runs_of_all" "$crashed"
[ "$crashed" -eq 0 ]
