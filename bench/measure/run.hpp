// What every benchmark is told and says: its options, the store it works on, and its figures, each
// one line for people and one line of JSON for the result files.
//   --store sqlite|postgres|memory:|postgres://…   --quick   --rounds N   and the program's own
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace quell::bench {

class StoreUnderTest;

enum class Better { lower, higher, neither };

// The middle one, and between which values the others lie.
struct Spread {
  double median = 0, least = 0, most = 0;
  std::size_t n = 0;
};
Spread spread_of(std::vector<double> samples);
double percentile(std::vector<double> samples, double p);

class Run {
 public:
  // `store`: the one that is taken when no other is asked for.
  Run(std::string work, int argc, char** argv, const std::string& store = "sqlite");
  ~Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  bool quick() const { return quick_; }
  std::string text(const std::string& name, const std::string& otherwise) const;
  // The size of the real run, or the one that only shows that the program works.
  long number(const std::string& name, long otherwise, long when_quick) const;
  long rounds(long otherwise) const { return number("rounds", otherwise, 1); }

  const std::string& store() const { return store_; }  // sqlite, postgres, memory
  bool is_postgres() const { return store_ == "postgres"; }
  // The address of an empty store; each call makes another one and forgets the last.
  std::string fresh_store();
  std::string another_store();  // … and keeps it
  // Processor time of the store's own processes so far: the other half of what a job costs.
  double server_cpu_seconds() const;

  void figure(const std::string& name, std::vector<double> samples, const std::string& unit,
              Better better) const;
  void figure(const std::string& name, double value, const std::string& unit, Better better) const {
    figure(name, std::vector<double>{value}, unit, better);
  }

 private:
  std::string work_, store_, address_;
  std::map<std::string, std::string> options_;
  bool quick_ = false;
  std::unique_ptr<StoreUnderTest> place_;
};

[[noreturn]] void fail(const std::string& what);
double cpu_seconds();  // of this process

}  // namespace quell::bench
