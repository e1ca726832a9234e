# Which Debian packages what needs, and how they come onto the machine. Read by ./dev.
# shellcheck shell=bash disable=SC2034

# Debian packages by purpose, so that `./dev run` brings only what a build needs.
packages_build=(g++ cmake ninja-build ccache pkg-config ca-certificates tzdata
  libcaf-dev libboost1.81-dev libpqxx-dev libpq-dev nlohmann-json3-dev libspdlog-dev libfmt-dev
  libgtest-dev libgmock-dev libbenchmark-dev libsqlite3-dev libssl-dev libcli11-dev
  libcurl4-openssl-dev libc-ares-dev libtomlplusplus-dev libhowardhinnant-date-dev libzstd-dev)
packages_model=(g++ spin)
packages_test=(postgresql-15 pgbouncer sqlite3 spin curl python3 python3-jsonschema procps util-linux openssl zstd
  python3-celery python3-redis redis-server)
packages_patroni=(patroni python3-etcd etcd-server)
packages_fmt=(clang-format-14)
packages_check=(clang libclang-rt-14-dev clang-tidy-14)
packages_bench=(wrk redis-server)
packages_peers=(redis-server postgresql-15 python3-celery python3-eventlet python3-redis)
packages_node=(nodejs npm)
packages_console=(chromium fonts-liberation fonts-dejavu-core)

need() {  # need SET…: installs what is missing of the sets
  local set wanted=() missing=() have name
  for set in "$@"; do
    local -n list="packages_$set"
    wanted+=("${list[@]}")
  done
  if ! command -v apt-get dpkg-query >/dev/null; then
    say "not a Debian: taking for granted that these are here in some form: ${wanted[*]}"
    return
  fi
  have=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null || true)
  for name in "${wanted[@]}"; do
    grep -qxF "$name installed" <<<"$have" || missing+=("$name")
  done
  [ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
}

need_console() {  # what builds the console's bundle and opens its pages; npm brings the rest by the lock files
  need console
  command -v npm >/dev/null || need node
}

install_packages() {
  local root=()
  say "missing packages: $*"
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
      die "they need root, and there is no sudo here; as root: apt-get install --no-install-recommends $*"
    root=(sudo)
    say "installing them with sudo"
  fi
  [[ "$*" != *libboost1.81-dev* ]] || ! dpkg-query -W libboost1.74-dev >/dev/null 2>&1 ||
    say "libboost1.81-dev takes the place of libboost1.74-dev (Debian lets only one be installed)"
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive bash -s "$@" <<'ROOT' || die "apt-get failed, see above"
set -euo pipefail
# The tests start servers of their own; an installed package must not start one for the machine.
# Neither a main cluster of PostgreSQL, nor pgbouncer's or redis's service: those that were not here
# before are kept from starting now (policy-rc.d) and at boot (disable).
if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
  mkdir -p /etc/postgresql-common
  echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
fi
if [ ! -e /usr/sbin/policy-rc.d ]; then
  printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
  chmod +x /usr/sbin/policy-rc.d
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
fi
log=$(mktemp)
apt() { apt-get -q -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" </dev/null >"$log" 2>&1 || { tail -n 60 "$log" >&2; exit 1; }; }
apt update
apt install -y --no-install-recommends -o Dpkg::Options::=--force-confold "$@"
rm -f "$log"
for service in pgbouncer redis-server etcd patroni; do
  case " $* " in
    *" $service "* | *" $service-server "*) systemctl disable --quiet $service 2>/dev/null || true ;;
  esac
done
ROOT
}
