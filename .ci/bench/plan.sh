#!/bin/bash
# What `migrate plan` costs beside squawk looking at the same files in the same run, and beside the parser alone.
#   PROGRAM=build/release/migrate .ci/bench/plan.sh [RUNS]
# Two figures for each: the time that passes, and the processor time of all threads, which tells more on a machine
# that others use. Each is the best of RUNS runs (default 5), the sides taking turns. SQUAWK names its program;
# else the npm package squawk-cli is put into the working directory; without it only our own figures are printed.
# A missed goal is printed, not an error: machines differ.
set -eu
cd "$(dirname "$0")/../.."
program=$(realpath "${PROGRAM:-build/release/migrate}")
parser=$(dirname "$program")/planner/postgres/parse_bench
runs=${1:-5}
work=$(mktemp -d /var/tmp/migrate-bench.XXXXXX)
chmod 755 "$work"
export HOME=$work XDG_CONFIG_HOME=$work PSQLRC=/dev/null
unset DATABASE_URL MIGRATE_URL
psql=$(find /usr/lib/postgresql/*/bin/psql | sort -V | tail -1)
trap '.ci/bench/server.sh stop "$work/pg"; rm -rf "$work"' EXIT

find_squawk() { # the program itself: the script that npm puts in front of it starts node first
    [ -z "${SQUAWK:-}" ] || { realpath "$SQUAWK"; return; }
    npm install --no-audit --no-fund --prefix "$work/npm" squawk-cli@2 > "$work/npm.log" 2>&1 || return 0
    find "$work/npm/node_modules" -type f -name squawk -perm -u+x -size +1M | head -1
}
generate() { awk -f .ci/bench/generate.awk "$@"; }

# Keeps the least of each of the two times, in microseconds: "passed used".
declare -A best
take() { # SIDE COMMAND…; exit codes that mean "has findings" are fine
    local side=$1 status=0
    shift
    perf_time "$@" || status=$?
    case $status in 0 | 1 | 3) ;; *) tail -3 "$work/err" >&2; echo "failed ($status): $*" >&2; exit 1 ;; esac
    best[$side]=$(awk -v old="${best[$side]:-}" '{
        split(old, had); passed = $1 * 1000000; used = ($2 + $3) * 1000000
        if (old != "" && had[1] < passed) passed = had[1]
        if (old != "" && had[2] < used) used = had[2]
        print passed, used }' "$work/times")
}
perf_time() {
    local TIMEFORMAT='%3R %3U %3S' status=0
    { time "$@" > "$work/out" 2> "$work/err" || status=$?; } 2> "$work/times"
    return $status
}
report() { # NAME OURS THEIRS GOAL [FACTOR of theirs]
    awk -v name="$1" -v ours="${best[$2]}" -v theirs="${best[$3]}" -v goal="$4" -v peer="${3%% *}" -v factor="${5:-1}" 'BEGIN {
        split(ours, a); split(theirs, b)
        for (i = 1; i <= 2; i++) {
            ratio = b[i] ? a[i] / b[i] / factor : 0
            printf "%-44s %-9s %9.1f ms %9.1f ms  %5.2f x %-8s goal %s %s\n", i == 1 ? name : "", i == 1 ? "passed" : "processor",
                a[i] / 1000, b[i] / 1000, ratio, peer, goal, goal == "-" ? "" : ratio <= goal + 0 ? "met" : "MISSED"
        } }'
}
plan() { "$program" plan --no-gate "$@"; }

squawk=$(find_squawk)
[ -n "$squawk" ] || echo "squawk-cli cannot be had ($(tail -1 "$work/npm.log" 2> /dev/null)): only our own figures are printed"
mkdir -p "$work/files" "$work/many"
generate -v form=files -v files=1000 -v dir="$work/files"
generate -v form=files -v files=10000 -v dir="$work/many"
generate -v form=text -v files=9350 > "$work/big.sql"
generate -v form=schema -v files=2000 > "$work/schema.sql"
generate -v form=schema -v files=1 > "$work/small.sql"
printf '%-44s %-9s %12s %12s\n' "" "" migrate peer

# The compact form of both: a line for each finding. Then what people read: the table, findings with source and fix.
for ((r = 0; r < runs; r++)); do
    [ -z "$squawk" ] || take "squawk files" "$squawk" --reporter gcc "$work"/files/*.sql
    take "migrate lines" plan --offline --format github --dir "$work/files"
    take "migrate text" plan --offline --dir "$work/files"
    take "parser files" "$parser" "$work"/files/*.sql
    take "migrate small" plan --offline --format github --schema "$work/small.sql" --dir "$work/files"
    take "migrate schema" plan --offline --format github --schema "$work/schema.sql" --dir "$work/files"
    take "migrate schema alone" plan --offline --format github --schema "$work/schema.sql" --dir "$work/files" --steps 1
done
[ -z "$squawk" ] || report "10,000 statements, a line for each finding" "migrate lines" "squawk files" 0.6
[ -z "$squawk" ] || report "10,000 statements, text for people" "migrate text" "squawk files" 0.6
report "10,000 statements, beside the parser alone" "migrate lines" "parser files" -
report "10,000 statements, --schema of 2,000 tables" "migrate schema" "migrate small" -
best["migrate less"]=$(awk -v all="${best["migrate schema"]}" -v alone="${best["migrate schema alone"]}" 'BEGIN {
    split(all, a); split(alone, b); print a[1] - b[1], a[2] - b[2] }')
report "the same without reading that schema" "migrate less" "migrate small" 1.2

conn=$(.ci/bench/server.sh start "$work/pg")
for name in bench_empty bench_full; do "$psql" -X -q -d "$conn dbname=postgres" -c "CREATE DATABASE $name"; done
"$psql" -X -q -o /dev/null -v ON_ERROR_STOP=1 -d "$conn dbname=bench_full" -f "$work/schema.sql" -c ANALYZE
for ((r = 0; r < runs; r++)); do
    take "migrate empty" plan --format github --url "$conn dbname=bench_empty" --dir "$work/files"
    take "migrate full" plan --format github --url "$conn dbname=bench_full" --dir "$work/files"
    take "migrate full alone" plan --format github --url "$conn dbname=bench_full" --dir "$work/files" --steps 1
done
report "10,000 statements, live, 2,000 tables" "migrate full" "migrate empty" -
best["migrate less live"]=$(awk -v all="${best["migrate full"]}" -v alone="${best["migrate full alone"]}" 'BEGIN {
    split(all, a); split(alone, b); print a[1] - b[1], a[2] - b[2] }')
report "the same without reading that catalog" "migrate less live" "migrate empty" 1.2

few=$((runs > 2 ? 2 : runs))
for ((r = 0; r < few; r++)); do
    take "migrate many" plan --offline --format github --dir "$work/many"
    [ -z "$squawk" ] || take "squawk big" "$squawk" --reporter gcc "$work/big.sql"
    take "migrate big" plan --offline --format github "$work/big.sql"
    take "parser big" "$parser" "$work/big.sql"
done
report "100,000 statements against 10 x 10,000" "migrate many" "migrate lines" 1.1 10
[ -z "$squawk" ] || report "one file of 10 MB, 93,500 statements" "migrate big" "squawk big" 0.6
report "one file of 10 MB, beside the parser alone" "migrate big" "parser big" -

/usr/bin/env time -f %M -o "$work/rss" "$program" plan --no-gate --offline --format github "$work/big.sql" > /dev/null 2>&1 ||
    { echo "no time(1): memory is not measured"; exit 0; }
awk '{ printf "%-44s %22.1f MB %31s goal 400 %s\n", "memory of planning 10 MB", $1 / 1024, "", $1 / 1024 < 400 ? "met" : "MISSED" }' "$work/rss"
