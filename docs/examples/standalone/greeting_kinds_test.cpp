// snippet: test
// TestJob is the world by hand: no server, no store, no clock.
#include "greeting_kinds.hpp"

#include <cstdio>

#include "runtime/task/test_job.hpp"

int main() {
  quell::Registry registry;
  greetings::add_kinds(registry);
  const auto refused = registry.check("greet", "{}");
  quell::TestJob job(*registry.find("greet"), R"({"name":"world","pause_s":1})");
  const bool waits = job.asks<quell::SleepRequest>();
  job.answer();
  const bool greets = job.result() == R"("Hello, world.")";
  std::printf("%s\n", !refused.ok() && waits && greets ? "ok" : "failed");
  return !refused.ok() && waits && greets ? 0 : 1;
}
// end
