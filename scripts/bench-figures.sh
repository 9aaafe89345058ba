# How each figure is taken, checked and shown. Sourced by scripts/bench-connect.sh.
# shellcheck shell=bash disable=SC2154

filesystem=$(df --output=fstype "$in" | tail -n 1)
build="release $(git describe --always --dirty --exclude '*' 2>/dev/null || echo unknown)"
peak_rate=

# Measures one figure, and keeps its line if the rows read back are as many as the answers.
measure() {
    local figure=$1 bench=idle auth=header plain=true rows=presence options=()
    case $figure in
    enrol) bench=enrol rows=enrolled ;;
    idle) ;;
    token-update) bench=token-update rows=tokens ;;
    cycle)
        bench=cycle rows=answers
        options=(--dialect ardoise --api "http://127.0.0.1:$people_port" --secret "file:$work/token")
        ;;
    signature) auth=signature options=(--sign-beforehand) ;;
    tls) auth=mtls plain=false ;;
    handshake) auth=mtls plain=false options=(--turn 1) ;;
    resumption) auth=mtls plain=false options=(--turn 1 --resumption --tablets "$((connections * 4))") ;;
    open)
        [ -n "$peak_rate" ] || { say "open: 70 % of what? measure idle before"; return 1; }
        options=(--rate "$(jq --null-input "$peak_rate * 0.7 | floor")")
        ;;
    *) fail "unknown figure \`$figure\`: make bench ARGS=\"connect --help\"" ;;
    esac
    [ "$bench" = enrol ] || options+=(--for "${seconds}s")
    [ "$figure" != signature ] || [ "$tablets" -le 20000 ] || options+=(--tablets 20000)
    if [ "${doors:-}" != "$plain" ] || [ -z "$server" ]; then
        close_doors
        open_doors "$plain"
    fi
    local scheme=http
    [ "$plain" = true ] || scheme=https
    local url=$scheme://localhost:$tablets_port
    [ "$plain" = true ] || options+=(--trust "$home/authority.pem")

    local yardstick
    yardstick=$(yardstick)
    [ -n "$yardstick" ] || { say "$figure: the yardstick gave nothing"; return 1; }
    forget_memory
    local verdict=$work/verdict.json
    "$tablets_program" --json bench "$bench" "$work/fleet" --auth "$auth" --connections "$connections" \
        --server-url "$url/mdm/connect" --check-in-url "$url/mdm/checkin" "${options[@]}" \
        >"$verdict" 2>"$work/load.log" || true
    local memory
    memory=$(most_memory)
    cp "$verdict" "$in/$figure.json"
    if ! jq --exit-status '.requests > 0 and .errors == 0' "$verdict" >/dev/null 2>&1; then
        say "$figure: not every answer was right: $(jq --compact-output .first_errors "$verdict" 2>/dev/null) $(tail -n 2 "$work/load.log")"
        return 1
    fi
    read_back "$figure" "$rows" "$verdict" || return 1
    case $figure in
    idle) peak_rate=$(jq .rate "$verdict") ;;
    handshake | resumption) bench=$figure ;;
    esac
    if [ "$figure" = resumption ] && ! jq --exit-status '.sessions_resumed * 10 > .connections_opened * 9' "$verdict" >/dev/null; then
        say "resumption: only $(jq .sessions_resumed "$verdict") of $(jq .connections_opened "$verdict") handshakes went on with a session"
        return 1
    fi
    jq --compact-output --arg figure "$figure" --arg bench "$bench" --arg engine "$engine" --argjson all "$tablets" \
        --argjson rss "$memory" --argjson yardstick "$yardstick" --argjson durability "$(durability)" \
        --arg filesystem "$filesystem" --arg build "$build" '
        { bench: $bench, engine: $engine, auth, tls, tablets: $all, connections, rate, p50_ms, p99_ms,
          server_rss_mb: ($rss / 1024 * 10 | round / 10), yardstick_rate: $yardstick }
        + (if .steps | length > 1 then { p99_ms_of_each_step: (.steps | map_values(.p99_ms)) } else {} end)
        + $durability + { $filesystem, $build }
        | { figure: $figure, line: . }' "$verdict" >>"$work/lines"
}

# The largest fleet that wakes within ten minutes, most of it in the middle, while 99 of 100 are answered within 100 ms:
# ever more connects a second in an open loop, each with its own TLS handshake, until they are not. At the peak of such
# a morning 2.25 times as many wake as on average.
measure_fleet() {
    local rate=50 best=0 line='' verdict=$work/verdict.json
    if [ "${doors:-}" != false ] || [ -z "$server" ]; then
        close_doors
        open_doors false
    fi
    while :; do
        "$tablets_program" --json bench idle "$work/fleet" --auth mtls --turn 1 --rate "$rate" --for "${seconds}s" \
            --connections "$connections" --server-url "https://localhost:$tablets_port/mdm/connect" \
            --check-in-url "https://localhost:$tablets_port/mdm/checkin" --trust "$home/authority.pem" \
            >"$verdict" 2>"$work/load.log" || true
        jq --exit-status --argjson rate "$rate" \
            '.errors == 0 and .p99_ms < 100 and .rate > $rate * 0.98' "$verdict" >/dev/null 2>&1 || break
        best=$rate line=$(cat "$verdict")
        rate=$((rate * 5 / 4))
    done
    cp "$verdict" "$in/fleet.json"
    [ "$best" -gt 0 ] || { say "fleet: not even $rate connects a second: $(tail -n 2 "$work/load.log")"; return 1; }
    jq --compact-output --arg engine "$engine" --argjson all "$tablets" --argjson rate "$best" \
        --argjson durability "$(durability)" --arg filesystem "$filesystem" --arg build "$build" '
        { bench: "fleet", engine: $engine, auth, tls, tablets: $all, connections, rate: $rate,
          fleet: ($rate * 600 / 2.25 | floor), p50_ms, p99_ms }
        + $durability + { $filesystem, $build }
        | { figure: "fleet", line: . }' <<<"$line" >>"$work/lines"
}

# The most memory that the server has had since `forget_memory`, in kB, as the kernel noted it (proc_pid_clear_refs(5)).
most_memory() { sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$server/status"; }
forget_memory() { echo 5 >"/proc/$server/clear_refs"; }

# Whether the tables hold what was answered.
read_back() {
    local figure=$1 rows=$2 verdict=$3 begun expected found patience sql
    begun=$(jq .begun_at "$verdict")
    expected=$(jq .heard "$verdict")
    case $rows in
    presence) sql="SELECT count(*) FROM presence WHERE last_seen_at >= $begun" ;;
    tokens) sql="SELECT count(*) FROM enrolments WHERE state = 'active' AND token_updated_at >= $begun" ;;
    enrolled)
        sql="SELECT count(*) FROM enrolments WHERE state = 'active' AND authenticated_at >= $begun"
        expected=$(jq .answered "$verdict")
        ;;
    answers)
        sql="SELECT count(*) FROM commands WHERE state = 'acknowledged' AND queued_at >= $begun"
        expected=$(jq .answered "$verdict")
        ;;
    esac
    # Last-seen times are written every tenth of a second.
    for patience in $(seq 30); do
        found=$(ask "$sql")
        [ "$found" != "$expected" ] || return 0
        sleep 0.1
    done
    say "$figure: $expected answers were counted, and $found rows read back $((patience / 10)) s later"
    return 1
}

# Of each figure the round with the median rate.
show() {
    [ -s "$work/lines" ] || fail "nothing was measured"
    jq --slurp --compact-output '
        [.[].figure] as $order | group_by(.figure)
        | map(sort_by(.line.rate) | .[(length - 1) / 2 | floor])
        | sort_by(.figure as $figure | $order | index($figure)) | .[].line' "$work/lines" >"$work/shown"
    if [ -n "$json" ]; then
        cat "$work/shown"
        return
    fi
    jq --raw-output '
        def durable: [.fsync, .synchronous_commit, .full_page_writes] == ["on", "on", "on"];
        [.bench, .auth, (.tls | if . then tostring else "-" end), .tablets, .connections, .rate, .p50_ms, .p99_ms,
         .server_rss_mb, .yardstick_rate, (if durable then "yes" else "NO" end)] | @tsv' "$work/shown" |
        { printf 'bench\tauth\ttls\ttablets\tconnections\trate/s\tp50 ms\tp99 ms\tserver MB\tyardstick/s\tdurable\n'; cat; } |
        column -t -s "$(printf '\t')"
    jq --raw-output 'select(.ms) | "\(.bench): \(.ms) ms for \(.tablets) tablets"' "$work/shown"
    jq --raw-output 'select(.kb_per_connection) | "\(.bench): \(.kb_per_connection) kB for each open TLS connection"' "$work/shown"
    jq --raw-output '"\(.engine) on \(.filesystem), \(.build)"' "$work/shown" | sort -u
}
