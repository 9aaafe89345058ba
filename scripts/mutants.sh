#!/usr/bin/env bash
# Changes the rooms that decide, one thing at a time, and says which changes no test noticed.
#
#   scripts/mutants.sh [--since COMMIT] [OPTION OF cargo-mutants…]
#
#   scripts/mutants.sh --since main         only what was changed since then, committed or not: for every day
#   scripts/mutants.sh --package lending    one room
#   scripts/mutants.sh --shard 0/8          the first of eight parts
#
# What is changed, and what need not be noticed and why, is in mutants.toml. The tree itself is not touched: a copy of it,
# under target/mutants, is. The last line counts; the run fails if a change survived, or if tests ran on and on with it.
# The survivors are listed, and the whole story of each change is in target/mutants/mutants.out.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'ardoise: %s\n' "$*" >&2; }

scripts/install.sh build
version=27.1.0
have=$(cargo mutants --version 2>/dev/null || true)
if [ "$have" != "cargo-mutants $version" ]; then
    say "installing cargo-mutants $version by cargo; it was ${have:-absent}"
    cargo install cargo-mutants --locked --version "$version" >&2
fi

mkdir -p target/mutants
home=$PWD/target/mutants
exec 9>"$home/lock"
flock --nonblock 9 || { say 'another run is changing the copy of this tree; wait for its end'; exit 1; }

options=()
if [ "${1:-}" = --since ]; then
    [ $# -ge 2 ] || { say '--since takes a branch or a commit'; exit 2; }
    git diff "$(git merge-base "$2" HEAD)" -- crates >"$home/since.diff"
    options+=(--in-diff "$home/since.diff")
    shift 2
fi

# The copy stays where it is, so that what was built of it serves the next run. Cargo goes by dates: a file that the last
# run changed and put back must look newer than what was built of it.
rm -rf "$home/tree" && mkdir "$home/tree"
tar --create --exclude=./target --exclude=./.git . | tar --extract --directory "$home/tree"
cd "$home/tree"
files=$(cargo mutants --config mutants.toml --list-files)
xargs touch <<<"$files"

# What random cases notice they notice by chance, and perhaps not the next time: only the other tests are asked.
properties=$(cut -d/ -f1-3 <<<"$files" | sort -u | xargs -I@ find @ -name '*.rs' -exec awk '
    { match($0, /^ */); depth = RLENGTH }
    /^ *proptest(::proptest)?! \{/ { inside = 1; ends = depth }
    inside && /^ *\}/ && depth == ends { inside = 0 }
    match($0, /^ *fn [a-z0-9_]+\(/) { name = substr($0, RSTART, RLENGTH - 1); sub(/^ *fn /, "", name) }
    inside && /^ *fn / || /TestRunner::deterministic/ { print name }' {} +)
options+=(--cargo-test-arg=--)
for property in $properties; do options+=(--cargo-test-arg=--skip "--cargo-test-arg=$property"); done

# Crates of others were built there already; what is built of the copy stands beside what is built of the tree.
export CARGO_TARGET_DIR=${home%/mutants}
# Debug information would only be written.
export CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_TEST_DEBUG=0
[[ " $* " == *" --iterate "* ]] || rm -rf "$home/mutants.out" "$home/mutants.out.old"
status=0
cargo mutants --config mutants.toml --in-place --output "$home" --no-shuffle --colors never \
    "${options[@]}" "$@" || status=$?
# 2: something survived; 3: tests ran on and on. Anything else went wrong before, and was said.
case $status in 0 | 2 | 3) ;; *) exit "$status" ;; esac
# A list of what would be tried tries nothing.
[[ " $* " != *" --list"* ]] || exit 0

count() { (cat "$home/mutants.out/$1.txt" 2>/dev/null || true) | wc -l; }
caught=$(count caught) survivors=$(count missed) unviable=$(count unviable) timeouts=$(count timeout)
if [ "$survivors" -gt 0 ]; then
    say 'no test noticed:'
    sed 's/^/  /' "$home/mutants.out/missed.txt" >&2
    say 'each wants a test, simpler code, or a line of mutants.toml that says why nobody need notice it'
fi
printf 'mutants: %d tried, %d caught, %d survivors, %d unviable, %d timeouts\n' \
    $((caught + survivors + unviable + timeouts)) "$caught" "$survivors" "$unviable" "$timeouts"
exit "$status"
