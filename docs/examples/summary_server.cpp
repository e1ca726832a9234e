// The whole of quell, server and command line, with two more kinds.
#include "docs/examples/summary_kinds.hpp"
#include "http/server/run.hpp"

// snippet: server_main
int main(int argc, char** argv) {
  quell::Registry registry;
  quell::add_standard_kinds(registry);
  summaries::add_kinds(registry);
  return quell::run(argc, argv, std::move(registry));
}
// end
