#!/bin/bash
# Brings up Redis and PostgreSQL for the peers, runs each, takes all of it down again.
#   bench/peers/run.sh [--quick] [PEER…]        peers: graphile bullmq celery-eventlet celery-prefork celery-beside
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d -t quell-peers-XXXXXX)
programs=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
pids=()
as_nobody() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"; else "$@"; fi; }
finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  [ ! -d "$scratch/pg" ] || as_nobody "$programs/pg_ctl" -D "$scratch/pg" -m immediate stop >/dev/null 2>&1 || true
  rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 130' INT TERM

peers=()
for word in "$@"; do
  if [ "$word" = --quick ]; then export PEER_QUICK=1; else peers+=("$word"); fi
done
[ ${#peers[@]} -gt 0 ] || peers=(graphile bullmq celery-eventlet celery-prefork)
wanted() { [[ " ${peers[*]} " == *" $1 "* ]]; }
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

if wanted bullmq || wanted celery-eventlet || wanted celery-prefork || wanted celery-beside; then
  redis_port=$(free_port)
  redis-server --port "$redis_port" --bind 127.0.0.1 --save '' --appendonly no --dir "$scratch" >"$scratch/redis.log" 2>&1 &
  pids+=($!)
  until redis-cli -p "$redis_port" ping >/dev/null 2>&1; do sleep 0.05; done
  export PEER_REDIS=redis://127.0.0.1:$redis_port
fi
if wanted graphile; then
  mkdir -p "$scratch/pg" "$scratch/socket" && chmod 755 "$scratch" && { [ "$(id -u)" != 0 ] || chown nobody:nogroup "$scratch/pg" "$scratch/socket"; }
  as_nobody "$programs/initdb" -D "$scratch/pg" -U quell --auth=trust --locale=C -E UTF8 >"$scratch/initdb.log"
  # As our own programs have it: on a disk, with fsync, 128 MB of shared buffers, by a socket in the file system.
  as_nobody "$programs/pg_ctl" -D "$scratch/pg" -w -l "$scratch/pg/log" start -o "-c listen_addresses='' \
    -c unix_socket_directories='$scratch/socket' -c fsync=on -c shared_buffers=128MB -c max_wal_size=4GB" >/dev/null
  export PEER_POSTGRES="postgres:///postgres?host=$scratch/socket&user=quell"
fi
if wanted graphile || wanted bullmq; then
  # Installed once, from the lock file; again when it changes.
  modules=${QUELL_PEERS_MODULES:-$here/../../build/bench/peers}
  mkdir -p "$modules"
  if ! cmp -s "$here/package-lock.json" "$modules/package-lock.json"; then
    cp "$here/package.json" "$here/package-lock.json" "$modules/"
    (cd "$modules" && npm ci --no-audit --no-fund --silent) || { rm -f "$modules/package-lock.json"; exit 1; }
  fi
  cp "$here"/*.mjs "$modules/"
fi

! wanted graphile || node "$modules/graphile_run.mjs"
! wanted bullmq || node "$modules/bullmq_run.mjs"
# Debian's Celery belongs to Debian's Python.
! wanted celery-eventlet || /usr/bin/python3 "$here/celery_run.py" eventlet
! wanted celery-prefork || /usr/bin/python3 "$here/celery_run.py" prefork
! wanted celery-beside || /usr/bin/python3 "$here/celery_beside.py"
