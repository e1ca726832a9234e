#include "storage/erase_digest.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/base/digest.hpp"
#include "runtime/base/hex.hpp"

namespace quell::storage {

std::string erase_digest(const std::vector<ErasedJob>& erased) {
  std::vector<std::string> lines;
  lines.reserve(erased.size());
  for (const ErasedJob& one : erased)
    lines.push_back(
        fmt::format("{} {} {}\n", one.job.text(), to_string(one.was), to_string(one.verdict)));
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const std::string& line : lines) text += line;
  return hex(sha256(text));
}

std::string erase_detail(std::size_t jobs) {
  return fmt::format("{{\"jobs\":{}}}", jobs);
}

}  // namespace quell::storage
