# Stages with their times. Sourced by check.sh and test.sh.
#
#   stage NAME COMMAND [ARGUMENT…]   runs the command, prints its time, remembers whether it failed
#   verdict                          prints the table and the last line; its status is the answer
#
# A failed stage does not stop the next: one run tells everything that is wrong.
# shellcheck shell=bash

stage_names=()
stage_times=()
stage_failures=()

# Whole seconds as people read them: 8 s, 2 min 05 s.
span() {
    if [ "$1" -lt 60 ]; then
        printf '%d s' "$1"
    else
        printf '%d min %02d s' $(($1 / 60)) $(($1 % 60))
    fi
}

stage() {
    local name=$1 begun=$SECONDS outcome=ok
    shift
    printf '\n== %s\n' "$name"
    if ! "$@"; then
        outcome=FAILED
        stage_failures+=("$name")
    fi
    local took=$((SECONDS - begun))
    stage_names+=("$name")
    stage_times+=("$outcome $took")
    printf '== %s: %s, %s\n' "$name" "$outcome" "$(span "$took")"
    [ "$outcome" = ok ]
}

verdict() {
    local index outcome took total=0
    printf '\n'
    for index in "${!stage_names[@]}"; do
        read -r outcome took <<<"${stage_times[index]}"
        total=$((total + took))
        printf '  %-14s %-8s %s\n' "${stage_names[index]}" "$outcome" "$(span "$took")"
    done
    if [ ${#stage_failures[@]} -gt 0 ]; then
        printf '\nardoise: FAILED in %s:' "$(span "$total")"
        printf ' %s' "${stage_failures[@]}"
        printf '\n'
        return 1
    fi
    printf '\nardoise: all %d stages passed in %s\n' "${#stage_names[@]}" "$(span "$total")"
}
