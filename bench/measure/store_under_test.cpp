#include "bench/measure/store_under_test.hpp"

#include <unistd.h>

#include <fstream>
#include <sstream>

#include "bench/measure/run.hpp"

namespace quell::bench {

namespace fs = std::filesystem;

namespace {

// Of one process: its parent, its own ticks, and those of its children that have ended.
struct Ticks {
  long parent = 0, own = 0, ended_children = 0;
};

Ticks ticks_of(const fs::path& folder) {
  std::ifstream file(folder / "stat");
  std::string line;
  std::getline(file, line);
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream fields(line.substr(name_end + 2));
  std::string skipped;
  long user = 0, system = 0, child_user = 0, child_system = 0;
  Ticks ticks;
  fields >> skipped >> ticks.parent;
  for (int i = 0; i < 9; ++i) fields >> skipped;
  fields >> user >> system >> child_user >> child_system;
  ticks.own = user + system;
  ticks.ended_children = child_user + child_system;
  return ticks;
}

}  // namespace

Scratch::Scratch() {
  std::string name = (fs::temp_directory_path() / "quell-bench-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) fail("no temporary directory");
  path_ = name;
}

Scratch::~Scratch() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void StoreUnderTest::forget_last() {
  const std::string last = "bench" + std::to_string(made_);
  if (server_) server_->drop_database(last);
  for (const char* part : {".db", ".db-wal", ".db-shm"}) {
    std::error_code ignored;
    fs::remove(scratch_.path() + "/" + last + part, ignored);
  }
}

std::string StoreUnderTest::another() {
  const std::string next = "bench" + std::to_string(++made_);
  if (address_ == "sqlite") return "sqlite:" + scratch_.path() + "/" + next + ".db";
  if (address_ != "postgres") return address_;
  if (!server_)
    server_ = std::make_unique<storage::TemporaryPostgres>(
        quick_ ? fs::path() : fs::temp_directory_path(),
        std::vector<std::string>{"max_wal_size = 4GB"});
  server_->create_database(next);
  return server_->url(next);
}

double StoreUnderTest::server_cpu_seconds() const {
  if (!server_) return 0;
  long postmaster = 0;
  std::ifstream(server_->folder() / "data" / "postmaster.pid") >> postmaster;
  const Ticks first = ticks_of("/proc/" + std::to_string(postmaster));
  long sum = first.own + first.ended_children;
  std::error_code gone;
  for (const auto& entry : fs::directory_iterator("/proc", gone))
    if (const Ticks ticks = ticks_of(entry.path()); ticks.parent == postmaster) sum += ticks.own;
  return static_cast<double>(sum) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace quell::bench
