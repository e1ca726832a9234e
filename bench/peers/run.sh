#!/bin/bash
# Brings up Redis and PostgreSQL for the peers, runs each, takes all of it down again.   bench/peers/run.sh [SCRATCH]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
scratch=${1:-$(mktemp -d -t quell-peers-XXXXXX)}
redis_port=$((20000 + RANDOM % 20000)) postgres_port=$((20000 + RANDOM % 20000))
pids=()
finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  if [ -d "$scratch/pg" ]; then as_nobody /usr/lib/postgresql/15/bin/pg_ctl -D "$scratch/pg" -m fast stop >/dev/null 2>&1 || true; fi
}
trap finish EXIT
as_nobody() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"; else "$@"; fi; }

redis-server --port "$redis_port" --bind 127.0.0.1 --save '' --appendonly no --dir "$scratch" >"$scratch/redis.log" 2>&1 &
pids+=($!)
mkdir -p "$scratch/pg" && chmod 755 "$scratch" && { [ "$(id -u)" != 0 ] || chown nobody:nogroup "$scratch/pg"; }
as_nobody /usr/lib/postgresql/15/bin/initdb -D "$scratch/pg" -U quell --auth=trust >"$scratch/initdb.log"
as_nobody /usr/lib/postgresql/15/bin/pg_ctl -D "$scratch/pg" -w -o "-p $postgres_port -c listen_addresses=127.0.0.1 -c unix_socket_directories=''" -l "$scratch/pg/log" start >/dev/null

cp "$here/package.json" "$here"/*.mjs "$scratch/"
(cd "$scratch" && npm install --no-audit --no-fund --silent)

export PEER_REDIS=redis://127.0.0.1:$redis_port PEER_POSTGRES=postgres://quell@127.0.0.1:$postgres_port/postgres
node "$scratch/graphile_run.mjs"
node "$scratch/bullmq_run.mjs"
# Debian's Celery belongs to Debian's Python.
/usr/bin/python3 "$here/celery_run.py" eventlet
/usr/bin/python3 "$here/celery_run.py" prefork
