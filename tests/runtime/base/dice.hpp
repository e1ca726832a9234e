// Random histories that can be replayed: the seed is the whole story, the same on every machine.
#pragma once

#include <cstdint>
#include <random>

namespace quell {

class Dice {
 public:
  explicit Dice(std::uint32_t seed) : engine_(seed) {}
  std::uint32_t below(std::size_t n) { return static_cast<std::uint32_t>(engine_() % n); }
  double unit() { return static_cast<double>(engine_() % 1'000'000) / 1'000'000.0; }  // [0, 1)

 private:
  std::mt19937 engine_;
};

}  // namespace quell
