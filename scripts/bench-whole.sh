# Figures of the whole fleet at once: one command for all, one push for each, the start of a server, memory of open
# connections. Sourced by scripts/bench-connect.sh.
# shellcheck shell=bash disable=SC2154

# Keeps a line: the figure's name, then a jq object that may use $engine, $tablets, $durability and what --argjson gives.
keep() {
    local figure=$1 object=$2
    shift 2
    jq --null-input --compact-output --arg figure "$figure" --arg engine "$engine" --argjson tablets "$tablets" \
        --argjson durability "$(durability)" --arg filesystem "$filesystem" --arg build "$build" "$@" "
        { bench: \$figure, \$engine, \$tablets } + $object + \$durability + { \$filesystem, \$build }
        | { \$figure, line: . }" >>"$work/lines"
}

# A clock in milliseconds.
clock() { date +%s%3N; }

# One command for every tablet: from the request to the last row, which are read back.
measure_broadcast() {
    local begun took found key=broadcast-$RANDOM
    all_enrolled
    [ -n "$server" ] || open_doors true
    begun=$(clock)
    "$ardoise" --json command broadcast SecurityInfo --everyone --key "$key" >"$in/broadcast.json" 2>"$work/load.log" ||
        { say "broadcast: $(tail -n 2 "$work/load.log")"; return 1; }
    took=$(($(clock) - begun))
    # A plan for tables that nobody has looked at since they were empty would take minutes to count.
    ask "ANALYZE commands"
    ask "ANALYZE push_states"
    found=$(ask "SELECT count(*) FROM commands JOIN push_states USING (enrolment_id)
        WHERE idempotency_key = '$key' AND pending AND due_at IS NOT NULL")
    [ "$found" = "$tablets" ] || { say "broadcast: $found rows read back for $tablets tablets"; return 1; }
    keep broadcast '{ ms: $ms, rate: ($tablets * 1000 / $ms | floor) }' --argjson ms "$took"
}

# How long a server takes from its start until it is ready, with all these tablets in its database.
measure_start() {
    local begun plain=${doors:-true}
    close_doors
    begun=$(clock)
    open_doors "$plain"
    keep start '{ ms: $ms }' --argjson ms "$(($(clock) - begun))"
}

# What an open TLS connection costs: the server's memory with many busy ones, and with few.
measure_connections() {
    local few=64 many=2048 memory=() count
    ulimit -n 16384 2>/dev/null || { say "connections: no more files may be open"; return 1; }
    for count in $few $many; do
        close_doors
        open_doors false
        forget_memory
        "$tablets_program" --json bench idle "$work/fleet" --auth mtls --connections "$count" --for "${seconds}s" \
            --server-url "https://localhost:$tablets_port/mdm/connect" --trust "$home/authority.pem" \
            --check-in-url "https://localhost:$tablets_port/mdm/checkin" >"$in/connections.json" 2>"$work/load.log" || true
        memory+=("$(most_memory)")
        jq --exit-status '.requests > 0 and .errors == 0' "$in/connections.json" >/dev/null 2>&1 ||
            { say "connections: $(tail -n 2 "$work/load.log")"; return 1; }
    done
    keep connections '{ connections: $many, server_rss_mb: ($with / 1024 | floor),
        kb_per_connection: (($with - $without) / ($many - $few) | floor) }' \
        --argjson with "${memory[1]}" --argjson without "${memory[0]}" --argjson many $many --argjson few $few
}

# A push for every tablet, into a stand-in for Apple's service. Something waits for each, and nothing is claimed before there
# is a push certificate: the clock runs from the moment that one is set until the last push is recorded, and is read back.
# The server is told of the stand-in for the rest of the round: it never speaks to Apple's with such a certificate.
measure_pushes() {
    local begun took accepted enrolled port patience standin key=pushes-$RANDOM
    [ -n "$server" ] || open_doors true
    enrolled=$(ask "SELECT count(*) FROM enrolments WHERE push_token_sealed IS NOT NULL")
    [ "$enrolled" = "$tablets" ] || { say "pushes: $enrolled of $tablets tablets sent a token: measure enrol before"; return 1; }
    close_doors
    port=$(free_port)
    "$tablets_program" --json apns --listen "127.0.0.1:$port" --write "$work/push" \
        --topic com.apple.mgmt.External.bench >"$work/standin.jsonl" 2>"$work/standin.log" &
    standin=$!
    for patience in $(seq 200); do
        [ ! -s "$work/standin.jsonl" ] || break
        sleep 0.05
    done
    export ARDOISE_APNS_ENDPOINT="https://localhost:$port" ARDOISE_APNS_TRUST="$work/push/push-root.pem"
    export ARDOISE_EGRESS_ALLOW="localhost:$port private"
    open_doors true
    "$ardoise" --json command broadcast SecurityInfo --everyone --key "$key" >/dev/null 2>"$work/load.log" ||
        { say "pushes: $(tail -n 2 "$work/load.log")"; return 1; }
    # A code is good once: the one that was shown last may still be the present one.
    for patience in $(seq 20); do
        begun=$(clock)
        if "$ardoise" --json push-certificate --code "$(code_of "$(cat "$XDG_CONFIG_HOME/secret")")" set \
            --certificate "$work/push/push-certificate.pem" --key "$work/push/push-key.pem" >/dev/null 2>"$work/load.log"; then
            patience=0
            break
        fi
        sleep 3
    done
    [ "$patience" = 0 ] || { say "pushes: $(tail -n 2 "$work/load.log")"; return 1; }
    for patience in $(seq 3000); do
        [ "$(ask "SELECT count(*) FROM (SELECT 1 FROM push_states WHERE coalesce(outcome, '') <> 'sent' LIMIT 1) AS one")" != 0 ] ||
            break
        sleep 0.1
    done
    took=$(($(clock) - begun))
    close_doors
    kill -TERM "$standin"
    wait "$standin" 2>/dev/null || true
    accepted=$(tail -n 1 "$work/standin.jsonl" | jq .accepted)
    enrolled=$(ask "SELECT count(*) FROM push_states WHERE outcome = 'sent' AND pushed_at >= $begun")
    [ "$enrolled" = "$tablets" ] || { say "pushes: $enrolled rows read back for $tablets tablets in $took ms"; return 1; }
    [ "$accepted" = "$tablets" ] || { say "pushes: the service took $accepted pushes for $tablets tablets"; return 1; }
    keep pushes '{ ms: $ms, rate: ($tablets * 1000 / $ms | floor) }' --argjson ms "$took"
}

# What enrolling leaves behind, for tablets that have not enrolled through the door.
all_enrolled() {
    local now
    now=$(clock)
    ask "UPDATE certificates SET state = 'confirmed', first_used_at = $now WHERE state = 'issued'"
    ask "UPDATE enrolments SET state = 'active', authenticated_at = $now, token_updated_at = $now WHERE state = 'invited'"
    ask "ANALYZE enrolments"
}
