#!/bin/bash
# server.sh start DIR [SETTING…] | stop DIR: a PostgreSQL server with its default durability, on disk, on a
# private socket; settings are lines of postgresql.conf.
# Sourced names: none; prints the connection string on start.
set -eu
dir=$2
bin=$(find /usr/lib/postgresql/*/bin -maxdepth 0 2> /dev/null | sort -V | tail -1)
[ -n "$bin" ] || { echo "no PostgreSQL server found; run: make deps" >&2; exit 1; }
as_owner() {
    if [ "$(id -u)" -eq 0 ]; then (cd / && setpriv --reuid=postgres --regid=postgres --clear-groups "$@"); else "$@"; fi
}
case $1 in
    start)
        mkdir -p "$dir"
        if [ "$(id -u)" -eq 0 ]; then chown postgres "$dir"; fi
        as_owner "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C > "$dir.log" 2>&1
        as_owner tee -a "$dir/data/postgresql.conf" > /dev/null << CONF
listen_addresses = ''
unix_socket_directories = '$dir'
port = 5499
$(printf '%s\n' "${@:3}")
CONF
        as_owner "$bin/pg_ctl" -D "$dir/data" -w -l "$dir/server.log" start >> "$dir.log" 2>&1
        echo "host=$dir port=5499 user=postgres" ;;
    stop)
        as_owner "$bin/pg_ctl" -D "$dir/data" -m immediate stop > /dev/null 2>&1 || true
        rm -rf "$dir" "$dir.log" ;;
esac
