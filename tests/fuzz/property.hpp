// What a fuzz target holds the code to: a property that fails ends the process, so that libFuzzer
// keeps the input.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace quell::fuzz {

inline void hold(bool property, const char* sentence) {
  if (property) return;
  std::fprintf(stderr, "property broken: %s\n", sentence);
  std::abort();
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// The lines of a seed that people can read; the last part takes what is left.
inline std::vector<std::string_view> parts_of(std::string_view text, std::size_t count) {
  std::vector<std::string_view> parts;
  while (parts.size() + 1 < count) {
    const std::size_t end = text.find('\n');
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  parts.push_back(text);
  return parts;
}

// The same bytes in pieces, as a network cuts them: the length of each is drawn from the bytes
// themselves.
template <class Take>
void in_pieces(std::string_view text, unsigned seed, const Take& take) {
  while (!text.empty()) {
    seed = seed * 1664525U + 1013904223U + static_cast<unsigned char>(text.front());
    const std::size_t size = 1 + (seed >> 16) % (seed & 1024 ? 3 : 40);
    take(text.substr(0, size));
    text.remove_prefix(text.size() < size ? text.size() : size);
  }
}

}  // namespace quell::fuzz
