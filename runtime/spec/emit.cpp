// quell_emit --out ROOT            writes every file that is derived from runtime/spec
// quell_emit --out ROOT --check    compares instead, names what is stale and exits 1
#include <fmt/core.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>

#include "runtime/spec/emitted.hpp"

namespace quell::spec {
namespace {

std::vector<Emitted> everything() {
  return {sqlite_laws(), postgres_laws(), job_life_page(), delete_page(),
          errors_page(), settings_page(), webhooks_page(), schedules_page()};
}

bool is_current(const std::filesystem::path& root, const Emitted& file) {
  std::ifstream there(root / file.path, std::ios::binary);
  std::ostringstream text;
  text << there.rdbuf();
  return there.good() && text.str() == file.text;
}

bool write(const std::filesystem::path& root, const Emitted& file) {
  std::error_code fault;
  std::filesystem::create_directories((root / file.path).parent_path(), fault);
  std::ofstream out(root / file.path, std::ios::binary);
  out << file.text;
  out.close();
  return !fault && out.good();
}

int run(const std::filesystem::path& root, bool check) {
  int faults = 0;
  for (const Emitted& file : everything()) {
    if (is_current(root, file)) continue;
    if (check) {
      fmt::print("{} is stale: run quell_emit --out .\n", file.path);
      ++faults;
    } else if (write(root, file)) {
      fmt::print("wrote {}\n", file.path);
    } else {
      fmt::print(stderr, "cannot write {}\n", file.path);
      ++faults;
    }
  }
  return faults == 0 ? 0 : 1;
}

}  // namespace
}  // namespace quell::spec

int main(int argc, char** argv) {
  std::filesystem::path root;
  bool check = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--check") {
      check = true;
    } else if (word == "--out" && i + 1 < argc) {
      root = argv[++i];
    } else {
      root.clear();
      break;
    }
  }
  if (root.empty()) {
    fmt::print(stderr, "usage: quell_emit --out ROOT [--check]\n");
    return 2;
  }
  return quell::spec::run(root, check);
}
