#include "bench/measure/run.hpp"

#include <fmt/core.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "bench/measure/store_under_test.hpp"

namespace quell::bench {

namespace {

nlohmann::json machine() {
  std::string line, model = "unknown";
  std::ifstream cpuinfo("/proc/cpuinfo");
  while (std::getline(cpuinfo, line))
    if (line.starts_with("model name")) {
      model = line.substr(line.find(':') + 2);
      break;
    }
  const double bytes =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  return {{"cores", sysconf(_SC_NPROCESSORS_ONLN)},
          {"cpu", model},
          {"memory_gb", static_cast<int>(bytes / 1e9)}};
}

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

Spread spread_of(std::vector<double> samples) {
  if (samples.empty()) return {};
  std::sort(samples.begin(), samples.end());
  return {samples[samples.size() / 2], samples.front(), samples.back(), samples.size()};
}

double percentile(std::vector<double> samples, double p) {
  if (samples.empty()) return 0.0;
  std::sort(samples.begin(), samples.end());
  return samples[static_cast<std::size_t>(p * static_cast<double>(samples.size() - 1))];
}

Run::Run(std::string work, int argc, char** argv, const std::string& store)
    : work_(std::move(work)) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--quick") {
      quick_ = true;
    } else if (word.starts_with("--") && i + 1 < argc) {
      options_[word.substr(2)] = argv[++i];
    } else {
      fail("what is " + word + "? Options are --name value, and --quick");
    }
  }
  address_ = text("store", store);
  store_ = address_.substr(0, address_.find(':'));
  if (store_ == "postgresql") store_ = "postgres";
}

Run::~Run() = default;

std::string Run::text(const std::string& name, const std::string& otherwise) const {
  const auto found = options_.find(name);
  return found != options_.end() ? found->second : otherwise;
}

long Run::number(const std::string& name, long otherwise, long when_quick) const {
  const auto found = options_.find(name);
  if (found != options_.end()) return std::stol(found->second);
  return quick_ ? when_quick : otherwise;
}

std::string Run::fresh_store() {
  if (place_) place_->forget_last();
  return another_store();
}

std::string Run::another_store() {
  if (!place_) place_ = std::make_unique<StoreUnderTest>(address_, quick_);
  return place_->another();
}

double Run::server_cpu_seconds() const {
  return place_ ? place_->server_cpu_seconds() : 0.0;
}

void Run::figure(const std::string& name, std::vector<double> samples, const std::string& unit,
                 Better better) const {
  const Spread spread = spread_of(std::move(samples));
  const std::string title = fmt::format("{} {}", work_, store_);
  if (spread.n > 1)
    fmt::print("{:<20} {:<44} {:>13.3f} {:<10} {:.3f}..{:.3f}, n {}\n", title, name, spread.median,
               unit, spread.least, spread.most, spread.n);
  else
    fmt::print("{:<20} {:<44} {:>13.3f} {}\n", title, name, spread.median, unit);
  static const nlohmann::json this_machine = machine();
  const nlohmann::json line{{"bench", work_},
                            {"store", store_},
                            {"figure", name},
                            {"unit", unit},
                            {"better", better == Better::lower    ? "lower"
                                       : better == Better::higher ? "higher"
                                                                  : ""},
                            {"median", spread.median},
                            {"min", spread.least},
                            {"max", spread.most},
                            {"n", spread.n},
                            {"quick", quick_},
                            {"commit", from_environment("BENCH_COMMIT")},
                            {"machine", this_machine}};
  fmt::print("{}\n", line.dump());
  std::fflush(stdout);
}

void fail(const std::string& what) {
  fmt::print(stderr, "bench: {}\n", what);
  std::exit(1);
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

}  // namespace quell::bench
