// Judges the traces of processes, each by itself and then all in the order of their clock, and says
// how many steps were accepted.
//   check_traces FILE...
#include <cstdio>
#include <fstream>
#include <utility>
#include <vector>

#include "runtime/law/trace_check.hpp"

int main(int argc, char** argv) {
  unsigned long long steps = 0;
  std::vector<quell::MomentStep> all;
  int faults = 0;
  for (int i = 1; i < argc; ++i) {
    std::ifstream lines(argv[i]);
    if (!lines) {
      std::fprintf(stderr, "trace: %s cannot be read\n", argv[i]);
      ++faults;
      continue;
    }
    const quell::TraceReport report = quell::check_trace(lines);
    steps += report.steps;
    lines.clear();
    lines.seekg(0);
    const auto moments = quell::moments_of(lines, static_cast<std::size_t>(i));
    all.insert(all.end(), moments.begin(), moments.end());
    for (const std::string& fault : report.faults) {
      std::printf("trace: %s: %s\n", argv[i], fault.c_str());
      ++faults;
    }
  }
  for (const std::string& fault : quell::check_merged(std::move(all)).faults) {
    std::printf("trace: of all processes: %s\n", fault.c_str());
    ++faults;
  }
  std::printf("trace: %llu steps of %d processes, %d faults\n", steps, argc - 1, faults);
  return faults == 0 ? 0 : 1;
}
