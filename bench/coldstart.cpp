// From the start of the process to the first request that is served, on an empty store and on one
// that the last process left behind.
//   bench_coldstart [--store sqlite|postgres] [--rounds 15]
#include "bench/measure/run.hpp"
#include "bench/measure/served.hpp"
#include "bench/measure/store_under_test.hpp"

using namespace quell::bench;

int main(int argc, char** argv) {
  Run run("coldstart", argc, argv);
  std::vector<double> first, again;
  for (long round = 0; round < run.rounds(15); ++round) {
    const Scratch folder;
    const std::string store = run.fresh_store(), data = folder.path() + "/data";
    first.push_back(Served(store, data).seconds_to_ready() * 1e3);
    again.push_back(Served(store, data).seconds_to_ready() * 1e3);
  }
  run.figure("first start", first, "ms", Better::lower);
  run.figure("next start", again, "ms", Better::lower);
}
