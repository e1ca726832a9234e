// snippet: server
#include "greeting_kinds.hpp"
#include "http/server/run.hpp"

int main(int argc, char** argv) {
  quell::Registry registry;
  quell::add_standard_kinds(registry);
  greetings::add_kinds(registry);
  return quell::run(argc, argv, std::move(registry));
}
// end
