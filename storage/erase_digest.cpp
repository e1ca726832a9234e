#include "storage/erase_digest.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "runtime/assert.hpp"

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
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  QUELL_ASSERT(EVP_Digest(text.data(), text.size(), bytes.data(), &size, EVP_sha256(), nullptr) ==
               1);
  std::string hex;
  for (unsigned i = 0; i < size; ++i) hex += fmt::format("{:02x}", bytes.at(i));
  return hex;
}

std::string erase_detail(std::size_t jobs) {
  return fmt::format("{{\"jobs\":{}}}", jobs);
}

}  // namespace quell::storage
