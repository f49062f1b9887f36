#!/bin/bash
# What an application feels while its database is changed: for each case in testdata/availability, as it is written
# through psql, by the safe form that a careful person would write, through psql, and by `migrate apply`.
#   PROGRAM=build/release/migrate .ci/bench/availability.sh [CASE…]
# AVAILABILITY_ROWS         rows of the large table (2000000)
# AVAILABILITY_RATE         requests in a second (300), over AVAILABILITY_CONNECTIONS (12)
# AVAILABILITY_URL          a server that runs already, with pg_stat_statements; else one is started
# AVAILABILITY_READERS      only beside these, of those that a case names
# AVAILABILITY_READER_MS    how long each of them stays, whatever its case says
# AVAILABILITY_TABLE        a file that gets the table, too: columns separated by tabs
# A missed goal is printed, not an error: machines differ. A command that fails is one.
#
# A case is a directory: as_written.sql, and where there are, setup.sql (before the traffic; psql's :rows),
# by_hand.sql, traffic.sql and reader-*.sql in place of the common ones, and `case`, with the lines
#   readers=none idle:6       beside which open transactions, and for how many seconds: reader-NAME.sql
#   variants=as-written       of as-written, by-hand and migrate
#   before=apply              what migrate is called with before the traffic: calls, separated by commas
#   commands=apply            the same beside the traffic; this is measured
set -eu
cd "$(dirname "$0")/../.."
program=$(realpath "${PROGRAM:-build/release/migrate}")
traffic=$(dirname "$program")/drivers/postgres/traffic_bench
rows=${AVAILABILITY_ROWS:-2000000} rate=${AVAILABILITY_RATE:-300} connections=${AVAILABILITY_CONNECTIONS:-12}
# A large copy is made past the WAL, and everything is on disk before the traffic begins.
if [ "$rows" -lt 1000000 ]; then warm_ms=50 strategy='' settle=''; else warm_ms=1500 strategy='STRATEGY file_copy' settle=CHECKPOINT; fi
cases=testdata/availability
work=$(mktemp -d /var/tmp/migrate-bench.XXXXXX)
chmod 755 "$work"
table=${AVAILABILITY_TABLE:-$work/table}
: > "$table"
export HOME=$work XDG_CONFIG_HOME=$work PSQLRC=/dev/null
unset DATABASE_URL MIGRATE_URL
psql=$(find "${PG_BIN:-/usr/lib/postgresql}" -name psql -path '*/bin/*' | sort -V | tail -1)
if [ -n "${AVAILABILITY_URL:-}" ]; then
    conn=$AVAILABILITY_URL
    trap 'rm -rf "$work"' EXIT
else
    trap '.ci/bench/server.sh stop "$work/pg"; rm -rf "$work"' EXIT
    conn=$(.ci/bench/server.sh start "$work/pg" "shared_preload_libraries = 'pg_stat_statements'" 'shared_buffers = 1GB' \
        'max_wal_size = 16GB' 'checkpoint_timeout = 1h' 'maintenance_work_mem = 256MB' 'log_lock_waits = on')
fi
sql() { PGOPTIONS="-c client_min_messages=warning" "$psql" -X -q -v ON_ERROR_STOP=1 -v rows="$rows" -d "$conn dbname=$1" "${@:2}"; }
option() { # NAME DEFAULT
    local value
    value=$(sed -n "s/^$1=//p" "$case_dir/case" 2> /dev/null || true)
    echo "${value:-$2}"
}
own() { if [ -e "$case_dir/$1" ]; then echo "$case_dir/$1"; else echo "$cases/$1"; fi; }

prepare_database() {
    sql postgres -c 'DROP DATABASE IF EXISTS bench_template' -c 'CREATE DATABASE bench_template' -c "DO \$\$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'app') THEN CREATE ROLE app LOGIN SUPERUSER; END IF; END \$\$"
    sql bench_template -c 'CREATE EXTENSION pg_stat_statements' -f "$cases/setup.sql" -c 'VACUUM (FREEZE, ANALYZE)' -c CHECKPOINT
    # The history is there already, as it is in a project that lives.
    mkdir "$work/project"
    echo 'SELECT 1;' > "$work/project/0001_begin.sql"
    "$program" apply -q --url "$conn dbname=bench_template" --dir "$work/project" > "$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
}
say_conditions() {
    echo "$rows rows; $rate requests a second over $connections connections; $(nproc) processors; $(uptime | sed 's/.*load/load/')"
    sql postgres -At -c "SELECT 'PostgreSQL ' || current_setting('server_version') || ': '
        || string_agg(name || ' = ' || current_setting(name), ', ' ORDER BY name) FROM pg_settings
        WHERE name IN ('shared_buffers', 'fsync', 'synchronous_commit', 'max_wal_size', 'maintenance_work_mem', 'deadlock_timeout')"
    echo "goals for migrate: longest wait at most 150 ms, no errors, time at most 1.1 x by hand"
}

# A script of the calls that the case names.
migrate_calls() { # DATABASE NAME DEFAULT
    local call
    echo 'set -e'
    option "$2" "$3" | tr , '\n' | while read -r call; do
        [ -z "$call" ] || printf '%q %s --url %q --dir %q\n' "$program" "$call" "$conn dbname=$1" "$work/project"
    done
}
# The command of a variant, in `command`.
make_command() { # VARIANT DATABASE
    case $1 in
        as-written | by-hand) command=("$psql" -X -q -v ON_ERROR_STOP=1 -v rows="$rows" -d "$conn dbname=$2" -f "$case_dir/${1//-/_}.sql") ;;
        migrate)
            cp "$case_dir/as_written.sql" "$work/project/0002_case.sql"
            migrate_calls "$2" before '' > "$work/run"
            bash "$work/run" > "$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
            migrate_calls "$2" commands apply > "$work/run"
            command=(bash "$work/run") ;;
    esac
}
measure() { # VARIANT READER SECONDS; leaves $work/result
    local db=bench_run reader=()
    sql postgres -c "DROP DATABASE IF EXISTS $db WITH (FORCE)" -c "CREATE DATABASE $db TEMPLATE bench_template $strategy"
    if [ -e "$case_dir/setup.sql" ]; then sql $db -f "$case_dir/setup.sql" -c "$settle"; fi
    make_command "$1" $db
    [ "$2" = none ] || reader=(--reader "$(own "reader-$2.sql")" --reader-ms "${AVAILABILITY_READER_MS:-${3}000}")
    "$traffic" --url "$conn dbname=$db" --app "$conn dbname=$db user=app" --traffic "$(own traffic.sql)" \
        --waits "$cases/waits.sql" --keys "$rows" --rate "$rate" --connections "$connections" --warm-ms "$warm_ms" \
        --log "$work/log" "${reader[@]}" -- "${command[@]}" > "$work/result"
}
# One row, from $work/result; a ratio needs the time of by-hand in `hand`.
failed=0 hand=
report() { # OPERATION VARIANT READER
    awk -v operation="$1" -v variant="$2" -v reader="$3" -v hand="$hand" -v table="$table" '
        { value[$1] = $2 }
        /^longest / || /^error / { note[++notes] = $0 }
        function goal(is_met) { return variant != "migrate" ? "" : is_met ? " met" : " MISSED" }
        END {
            ratio = hand > 0 && variant == "migrate" ? sprintf("%.2f", value["time_ms"] / hand) : "-"
            printf "%-19s %-18s %-11s %8.0f%-7s %8.0f %6d%-7s %9.2f %10.2f %6s%s%s\n", operation, reader, variant,
                value["longest_ms"], goal(value["longest_ms"] <= 150), value["p999_ms"],
                value["errors"], goal(value["errors"] == 0), value["time_ms"] / 1000, value["wal_bytes"] / 1048576,
                ratio, ratio == "-" ? "" : goal(ratio <= 1.1), value["exit"] == 0 ? "" : "  FAILED: exit " value["exit"]
            OFS = "\t"
            print operation, reader, variant, value["longest_ms"], value["p999_ms"], value["errors"], value["time_ms"],
                value["wal_bytes"], ratio, value["exit"], value["requests"] >> table
            for (i = 1; i <= notes; i++)
                if (note[i] ~ /^error / || (variant != "as-written" && value["longest_ms"] > 150))
                    print "    " note[i]
        }' "$work/result"
    # What migrate itself tells of waiting; and all that a command told which failed.
    if grep -q '^exit 0$' "$work/result"; then
        [ "$2" != migrate ] || grep -i -E 'lock|wait' "$work/log" | awk '
            { last = $0 } NR == 1 { print "    migrate: " $0 }
            END { if (NR > 2) print "    migrate: … " NR - 2 " more"; if (NR > 1) print "    migrate: " last }' || true
    else
        sed 's/^/    /' "$work/log"
        failed=1
    fi
}
run_case() {
    local reader variant
    case_dir=$cases/$1
    for reader in $(option readers 'none idle:6'); do
        [[ " ${AVAILABILITY_READERS:-${reader%:*}} " == *" ${reader%:*} "* ]] || continue
        hand=
        for variant in $(option variants 'as-written by-hand migrate'); do
            [ "$variant" != by-hand ] || [ -e "$case_dir/by_hand.sql" ] || continue
            measure "$variant" "${reader%:*}" "${reader#*:}"
            report "$1" "$variant" "$reader"
            [ "$variant" != by-hand ] || hand=$(sed -n 's/^time_ms //p' "$work/result")
        done
    done
}

prepare_database
say_conditions
printf '%-19s %-18s %-11s %11s %12s %9s %13s %10s %8s\n' operation 'long reader' variant 'longest ms' 'p99.9 ms' errors 'time s' 'WAL MB' 'x by hand'
if [ $# -eq 0 ]; then
    for path in "$cases"/*/; do
        name=$(basename "$path")
        if [ "$name" = quiet ]; then set -- quiet "$@"; else set -- "$@" "$name"; fi
    done
fi
for name in "$@"; do run_case "$name"; done
awk -F '\t' '$3 == "migrate" { rows++; near += $4 <= 150; clean += $6 == 0; timed += $9 != "-"; quick += $9 != "-" && $9 <= 1.1 }
    END { printf "goals met by migrate: longest wait %d of %d, no errors %d of %d, time %d of %d\n", near, rows, clean, rows, quick, timed }' "$table"
uptime
exit "$failed"
