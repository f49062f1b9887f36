#!/bin/bash
# What migrate costs beside psql and sqlite3 doing the same work in the same run, as ratios.
#   PROGRAM=build/release/migrate .ci/bench/apply.sh [RUNS]
# Each figure is the best of RUNS runs (default 5), the two sides taking turns. Goals are those of the project;
# a missed goal is printed, not an error: machines differ.
set -eu
cd "$(dirname "$0")/../.."
program=$(realpath "${PROGRAM:-build/release/migrate}")
runs=${1:-5}
work=$(mktemp -d /var/tmp/migrate-bench.XXXXXX)
chmod 755 "$work"
export HOME=$work XDG_CONFIG_HOME=$work PSQLRC=/dev/null
unset DATABASE_URL MIGRATE_URL
# psql itself: Debian's /usr/bin/psql is a Perl wrapper that costs four times as much.
psql=$(find /usr/lib/postgresql/*/bin/psql | sort -V | tail -1)
trap '.ci/bench/server.sh stop "$work/pg"; rm -rf "$work"' EXIT
conn=$(.ci/bench/server.sh start "$work/pg")

generate() { # COUNT ENGINE DIR
    mkdir -p "$3"
    local i type=bigint now='timestamptz NOT NULL DEFAULT now()'
    [ "$2" = postgres ] || { type=integer; now='text NOT NULL DEFAULT CURRENT_TIMESTAMP'; }
    for ((i = 1; i <= $1; i++)); do
        printf -- '-- table number %d of a generated project\nCREATE TABLE item_%d (\n    id %s PRIMARY KEY,\n    name text NOT NULL,\n    created_at %s\n);\nCREATE INDEX item_%d_name ON item_%d (name);\n' \
            "$i" "$i" "$type" "$now" "$i" "$i" > "$3/$(printf %05d "$i")_item_$i.sql"
    done
}
now_us() { local t=$EPOCHREALTIME; echo $((${t%.*} * 1000000 + 10#${t#*.})); }
# best NAME: keeps the smallest time a side took, in microseconds.
declare -A best
take() { # SIDE COMMAND…
    local side=$1 start end
    shift
    start=$(now_us)
    "$@" > "$work/out" 2>&1 || { cat "$work/out" >&2; echo "failed: $*" >&2; exit 1; }
    end=$(now_us)
    local spent=$((end - start))
    if [ -z "${best[$side]:-}" ] || [ "$spent" -lt "${best[$side]}" ]; then best[$side]=$spent; fi
}
report() { # NAME OURS THEIRS GOAL
    awk -v name="$1" -v a="${best[$2]}" -v b="${best[$3]}" -v goal="$4" -v peer="${3%% *}" 'BEGIN {
        printf "%-44s %10.1f ms %10.1f ms  %5.2f x %-8s goal %s %s\n", name, a / 1000, b / 1000, a / b, peer,
            goal, goal == "-" ? "" : a / b <= goal + 0 ? "met" : "MISSED" }'
}
sql() { "$psql" -X -q -v ON_ERROR_STOP=1 -d "$conn dbname=$1" "${@:2}"; }
# A database for each take, and none is dropped: ext4 looks for minutes at the inodes of deleted files whenever
# it makes new ones, which was a quarter of what either side spent.
databases=0 db=
fresh() {
    db=bench_$((++databases))
    sql postgres -c "CREATE DATABASE $db" -c CHECKPOINT
}

printf '%-44s %13s %13s\n' "" migrate peer
for count in 1000 5000; do
    generate $count postgres "$work/pg-$count"
    generate $count sqlite "$work/lite-$count"
    for f in "$work/pg-$count"/*.sql; do echo 'BEGIN;'; echo "\\i $f"; echo 'COMMIT;'; done > "$work/pg-$count.psql"
    for f in "$work/lite-$count"/*.sql; do echo 'BEGIN;'; cat "$f"; echo 'COMMIT;'; done > "$work/lite-$count.sql"
    for ((r = 0; r < (count > 1000 ? 2 : runs); r++)); do
        fresh
        take "psql $count" sql "$db" -f "$work/pg-$count.psql"
        fresh
        take "migrate $count" "$program" apply --url "$conn dbname=$db" --dir "$work/pg-$count"
    done
    report "postgres: apply $count files" "migrate $count" "psql $count" 0.8
    for ((r = 0; r < runs * 6; r++)); do
        take "psql nothing $count" sql "$db" -c 'select 1'
        take "migrate nothing $count" "$program" apply --url "$conn dbname=$db" --dir "$work/pg-$count"
    done
    report "postgres: nothing to do, $count files" "migrate nothing $count" "psql nothing $count" \
        "$([ $count = 1000 ] && echo 2 || echo 6)"
    for ((r = 0; r < (count > 1000 ? 2 : runs); r++)); do
        rm -f "$work"/lite.db* "$work"/peer.db*
        take "sqlite3 $count" sqlite3 "$work/peer.db" ".read $work/lite-$count.sql"
        take "migrate lite $count" "$program" apply --url "sqlite:$work/lite.db" --dir "$work/lite-$count"
    done
    report "sqlite: apply $count files" "migrate lite $count" "sqlite3 $count" 1.03
    for ((r = 0; r < runs * 6; r++)); do
        take "sqlite3 nothing $count" sqlite3 "$work/peer.db" 'select 1'
        take "migrate lite nothing $count" "$program" apply --url "sqlite:$work/lite.db" --dir "$work/lite-$count"
    done
    report "sqlite: nothing to do, $count files" "migrate lite nothing $count" "sqlite3 nothing $count" -
done
report "postgres: 5,000 files against 5 x 1,000 files" "migrate 5000" "migrate 1000" 6
report "sqlite: 5,000 files against 5 x 1,000 files" "migrate lite 5000" "migrate lite 1000" 6

sql "$db" -c "INSERT INTO migrator.history SELECT 100000 + g, '9' || lpad(g::text, 6, '0'), 'generated row ' || g, 'versioned',
    'plain', 'f' || g || '.sql', 'applied', 1, 1, repeat('a', 64), repeat('b', 64), '', 'postgres', now(), 100, 'run'
    FROM generate_series(1, 10000 - (SELECT count(*) FROM migrator.history)) g"
for ((r = 0; r < runs * 3; r++)); do
    take "psql history" sql "$db" -c 'SELECT * FROM migrator.history ORDER BY installed_rank'
    take "migrate history" "$program" history --url "$conn dbname=$db"
done
report "postgres: history of 10,000 rows" "migrate history" "psql history" 1.1
for ((r = 0; r < runs * 6; r++)); do
    take "true" /bin/true
    take "migrate version" "$program" help
done
report "start-up (migrate help against true)" "migrate version" "true" 6

fresh
/usr/bin/env time -f %M -o "$work/rss" "$program" apply -q --url "$conn dbname=$db" --dir "$work/pg-5000" > /dev/null 2>&1 ||
    { echo "no time(1): memory is not measured"; exit 0; }
awk '{ printf "%-44s %10.1f MB %31s goal 32 %s\n", "memory of applying 5,000 files", $1 / 1024, "", $1 / 1024 < 32 ? "met" : "MISSED" }' "$work/rss"
