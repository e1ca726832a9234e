#include "storage/erase_digest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <tuple>

#include "runtime/base/digest.hpp"
#include "runtime/base/hex.hpp"

namespace quell::storage {

std::string erase_digest(const std::vector<ErasedJob>& erased) {
  // An id and its text sort alike, and so do words before what ends each.
  const auto words = [](const ErasedJob& one) {
    return std::tuple(one.job, to_string(one.was), to_string(one.verdict));
  };
  std::vector<ErasedJob> lines = erased;
  std::sort(lines.begin(), lines.end(),
            [&](const ErasedJob& a, const ErasedJob& b) { return words(a) < words(b); });
  std::string text;
  for (const ErasedJob& one : lines) {
    text += one.job.text();
    for (const std::string_view word : {to_string(one.was), to_string(one.verdict)})
      (text += ' ') += word;
    text += '\n';
  }
  return hex(sha256(text));
}

std::string erase_detail(std::size_t jobs) {
  return fmt::format("{{\"jobs\":{}}}", jobs);
}

}  // namespace quell::storage
