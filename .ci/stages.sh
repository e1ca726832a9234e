# What ./dev check runs, stage by stage, and how each is timed and counted. Read by ./dev.
# shellcheck shell=bash

# What CI runs (short), in order, cheap things first; `check --long` runs what is slow and finds least, in addition.
# NAME|FUNCTION|LANE|what it shows.
stages=(
  "fmt|stage_fmt|short|every source is in the one format"
  "build|stage_build|short|a release build without a warning, g++"
  "test|stage_test|short|the model and all tests, release build; emitted files are current"
  "nemesis|stage_nemesis|short|a fleet under faults for a minute"
  "console|stage_console|long|the console in a browser: the wider set of its flows, and axe on every page and dialog"
  "bench|stage_bench|short|every benchmark builds and runs, small"
  "headers|stage_headers|long|every header compiles alone"
  "lint|stage_lint|short|clang-tidy finds nothing in the twenty sources of runtime and storage that changed last"
  "clang|stage_clang|long|the runtime and its tests under clang++, with its AddressSanitizer and UBSan"
  "axe|stage_axe|long|axe on every page and dialog of the console, in each theme and size and in high contrast"
  "stories|stage_stories|long|the slow stories of the fleet"
  "celery|stage_celery|long|each state of a task of Celery is deleted, whoever is killed beside it"
  "patroni|stage_patroni|long|PostgreSQL under Patroni loses its leader for eight minutes: nothing that was acknowledged"
  "failpoints|stage_failpoints|long|every failpoint on both stores with 1 and 100 jobs, and a throw in every part of a node; the short lane plays each point and action once, the stores and sizes by turns"
  "tidy|stage_tidy|long|clang-tidy finds nothing in any source"
  "thread|stage_thread|long|ThreadSanitizer over the code without CAF"
  "fuzz|stage_fuzz|long|a minute of made-up input for each reader of what comes from outside, clang++"
  "mutants|stage_mutants|long|every fault planted in the delete's core is rejected, by a trace or by a test"
  "address|stage_address|long|AddressSanitizer and UBSan over all tests, g++"
)

sources() {  # sources GLOB…: ours, tracked or new; without git, what lies in our folders
  if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git ls-files --cached --others --exclude-standard -- "$@" | while read -r f; do [ ! -e "$f" ] || echo "$f"; done
  else
    local glob
    for glob in "$@"; do find runtime storage actors http tests bench docs -path "./$glob" -o -path "$glob"; done
  fi
}

stage_fmt() { sources '*.cpp' '*.hpp' | xargs -r clang-format-14 --dry-run -Werror; }

stage_build() { build release all benchmarks; }

stage_test() {
  local code=0
  run_model || code=1
  # Side by side, the long ones first; what looks at the clock runs alone (RUN_SERIAL in tests/CMakeLists.txt).
  # One more than cores: many wait for a server or a timer.
  run_ctest release -j "$(($(nproc) + 1))" || code=1
  say_steps build/release/Testing/Temporary/LastTest.log
  return $code
}

say_steps() {  # of the protocol, that the suites of this log have judged
  awk '/^trace: [0-9]+ steps/ { steps += $2; suites++ } END { printf "traces: %d steps judged in %d suites\n", steps, suites }' "$1"
}

outside() {  # outside LOG PYTHON-ARG…: a suite of tests/fleet that closes with its own count
  local code=0 log=build/$1
  shift
  PRODUCT_BINARY=$PWD/build/release/bin/quell PYTHONPATH=tests/fleet:tests/celery:tests/blackbox PYTHONUNBUFFERED=1 \
    python3 "$@" </dev/null 2>&1 | tee "$log" || code=$?
  count "$log" $code
  return $code
}

stage_nemesis() {
  build release quell temporary_postgres || return
  outside soak.log tests/fleet/soak.py --minutes 1
}

stage_stories() {
  build release quell temporary_postgres || return
  outside stories.log tests/blackbox/run.py long_test
}

stage_celery() {
  build release quell temporary_postgres || return
  TEMPORARY_POSTGRES=$PWD/build/release/bin/temporary_postgres \
    outside celery.log tests/blackbox/run.py matrix_test
}

stage_patroni() {
  need patroni
  build release quell temporary_postgres || return
  outside patroni.log tests/blackbox/run.py patroni_test
}

stage_failpoints() {
  build release quell temporary_postgres || return
  FAILPOINT_CELLS=all TEMPORARY_POSTGRES=$PWD/build/release/bin/temporary_postgres \
    outside failpoints.log tests/blackbox/run.py failpoints_test || return
  FATAL_PLACES=all TEMPORARY_POSTGRES=$PWD/build/release/bin/temporary_postgres \
    outside fatal.log tests/blackbox/run.py fatal_test
}

browser() {  # browser LOG SUITE…: suites of tests/console, which close with their own count
  build release quell temporary_postgres || return
  local code=0 log=build/$1
  shift
  PRODUCT_BINARY=$PWD/build/release/bin/quell TEMPORARY_POSTGRES=$PWD/build/release/bin/temporary_postgres \
    node tests/console/run.mjs "$@" </dev/null 2>&1 | tee "$log" || code=$?
  count "$log" $code
  return $code
}

stage_console() { browser console.log wide_test house_test schedules_test undo_test doubt_test hostile_test many_test demo_test fleet_test axe_test; }

stage_axe() { AXE=all browser axe.log axe_test; }

stage_bench() {
  build release quell benchmarks || return
  mkdir -p build
  local code=0 log=build/quick.log
  python3 bench/quick_test.py build/release/bin </dev/null 2>&1 | tee "$log" || code=$?
  count "$log" $code
  return $code
}

stage_headers() {  # a header that its own .cpp includes first is proven by the build
  local header source list=()
  while read -r header; do
    source=${header%.hpp}.cpp
    [ -e "$source" ] && [ "$(grep -m1 '^#include' "$source")" = "#include \"$header\"" ] || list+=("$header")
  done < <(sources '*.hpp')
  [ ${#list[@]} -eq 0 ] || printf '%s\n' "${list[@]}" | xargs -P "$(width)" -I{} sh -c \
    'echo "#include \"{}\"" | g++ -std=c++20 -fsyntax-only -I. -x c++ - || { echo "{} does not compile alone"; exit 1; }' || return
  echo "${#list[@]} headers compiled alone, the others are the first include of their own source"
}

recent_sources() {  # recent_sources N: those that changed last, what is not committed yet first
  local file seen=$'\n' left=$1
  { git diff --name-only HEAD && git ls-files --others --exclude-standard && git log --format= --name-only; } 2>/dev/null |
    while read -r file; do
      [[ $left -gt 0 && $file =~ ^(runtime|storage)/.*\.cpp$ && -e $file && $seen != *$'\n'"$file"$'\n'* ]] || continue
      seen+=$file$'\n'
      left=$((left - 1))
      echo "$file"
    done
}

stage_lint() { tidy $(recent_sources 20); }

stage_tidy() { tidy $(sources 'runtime/*.cpp' 'storage/*.cpp' 'actors/*.cpp' 'http/*.cpp'); }

tidy() {
  [ -e build/alone/compile_commands.json ] || cmake --preset release -B build/alone >/dev/null  # every source by itself
  printf '%s\n' "$@" | sort -u | xargs -r -n 1 -P "$(width)" clang-tidy-14 --quiet --extra-arg=-Wno-error -p build/alone 2>build/tidy.log ||
    { grep -v ' generated\.$' build/tidy.log; return 1; }
}

stage_clang() {
  build clang || return
  sanitizer_options
  run_ctest clang
}

sanitizer_options() {
  keep_memory_still
  export ASAN_OPTIONS="detect_stack_use_after_return=1 ${ASAN_OPTIONS:-}"
  export UBSAN_OPTIONS="print_stacktrace=1 ${UBSAN_OPTIONS:-}"
}

stage_thread() {
  local targets
  [ -e build/thread/build.ninja ] || cmake --preset thread "${whole[@]}" || return
  targets=$(ctest --test-dir build/thread -N | sed -n 's/^ *Test *#[0-9]*: \(runtime\|storage\|effects\)$/\1/p')
  build thread $(sed 's/^/test_/' <<<"$targets") || return
  keep_memory_still
  export TSAN_OPTIONS="halt_on_error=1 second_deadlock_stack=1 ${TSAN_OPTIONS:-}"
  run_ctest thread -R "^($(paste -sd'|' <<<"$targets"))\$"
}

stage_fuzz() {
  build fuzz fuzzers || return
  keep_memory_still
  local code=0
  "${still[@]}" python3 tests/fuzz/run.py build/fuzz </dev/null 2>&1 | tee build/fuzz.log || code=$?
  count build/fuzz.log $code
  return $code
}

stage_mutants() {
  [ -e build/mutants/build.ninja ] || cmake --preset release -B build/mutants "${whole[@]}" -DQUELL_MUTANTS=ON || return
  build mutants test_actors || return
  local code=0
  python3 tests/mutants/run.py build/mutants </dev/null 2>&1 | tee build/mutants.log || code=$?
  count build/mutants.log $code
  return $code
}

stage_address() {
  whole=()
  build address || return
  sanitizer_options
  run_ctest address -j "$(nproc)"
}

# How fast this machine is just now: a fixed loop on every core at once, beside the 2.1 s that the usual one needs.
machine_speed() {
  local begin=${EPOCHREALTIME/./} core
  for ((core = $(nproc); core > 0; core--)); do
    (for ((i = 0; i < 1000000; i++)); do :; done) &
  done
  wait
  awk -v took=$((${EPOCHREALTIME/./} - begin)) 'BEGIN { printf "%.2f", 2100000 / took }'
}

cpu_seconds() {  # of all that this shell has waited for, into $spent
  times >build/.times
  spent=$(awk '{ gsub(/[ms]/, " "); if (NR == 2) printf "%d", $1 * 60 + $2 + $3 * 60 + $4 }' build/.times)
}

# run_stages NAME…: each of them, also after a failure, but nothing after a failed build. Bash ignores `set -e` in
# what stands before `||`, so the stages say themselves where they stop.
run_stages() {
  local row name function lane sentence code failed verdict=0 summary=() started spent before speed
  speed=$(machine_speed)
  for row in "${stages[@]}"; do
    IFS='|' read -r name function lane sentence <<<"$row"
    [[ " $* " == *" $name "* ]] || continue
    printf '\n==== %s: %s\n' "$name" "$sentence"
    started=$SECONDS
    cpu_seconds
    before=$spent
    failed=$(wc -l < <(awk '$2' "$tally"))
    code=0
    ("$function") </dev/null || code=$?
    cpu_seconds
    # A stage that fails without a failed test (a build, a format) counts as one, so that the sum says it too.
    [ $code -eq 0 ] || [ "$failed" -ne "$(wc -l < <(awk '$2' "$tally"))" ] || echo "0 1" >>"$tally"
    summary+=("$(printf '%-10s %-6s %5d s, %5d s of processors' "$name" "$([ $code -eq 0 ] && echo ok || echo FAILED)" \
      $((SECONDS - started)) $((spent - before)))")
    printf '==== %s; machine speed %s of the usual one\n' "${summary[-1]}" "$speed"
    [ $code -eq 0 ] || verdict=1
    [ $code -eq 0 ] || [ "$name" != build ] || break
  done
  printf '\n'; printf '%s\n' "${summary[@]}"
  printf '%-10s %-6s %5d s; machine speed %s of the usual one at the start, %s at the end\n' \
    all "$([ $verdict -eq 0 ] && echo ok || echo FAILED)" $SECONDS "$speed" "$(machine_speed)"
  return $verdict
}
