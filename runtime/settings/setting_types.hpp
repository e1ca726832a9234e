// What a setting can be: each type of spec/settings.def says which C++ value it becomes, how a row
// writes its default and, for a number, what is counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/clock.hpp"
#include "runtime/policy/queue_policy.hpp"

namespace quell {

// A text that no log line, reply or `config show` can print by accident.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  bool empty() const { return text_.empty(); }
  const std::string& reveal() const { return text_; }

 private:
  std::string text_;
};

namespace setting_type {

template <class V>
struct Number {
  using Value = V;
  static constexpr V of(std::int64_t n) { return static_cast<V>(n); }
  static constexpr std::int64_t number(V value) { return static_cast<std::int64_t>(value); }
};

template <class Unit>
struct Duration {
  using Value = Millis;
  static constexpr Millis of(std::int64_t n) {
    return std::chrono::duration_cast<Millis>(Unit{static_cast<typename Unit::rep>(n)});
  }
  static constexpr std::int64_t number(Millis value) {
    return std::chrono::duration_cast<Unit>(value).count();
  }
};

using Days = std::chrono::duration<std::int64_t, std::ratio<86'400>>;

struct count : Number<int> {};
struct bytes : Number<std::size_t> {};
struct milliseconds : Duration<Millis> {};
struct seconds : Duration<std::chrono::seconds> {};
struct hours : Duration<std::chrono::duration<std::int64_t, std::ratio<3'600>>> {};
struct days : Duration<Days> {};

struct flag {
  using Value = bool;
  static constexpr bool of(bool value) { return value; }
};

struct text {
  using Value = std::string;
  static constexpr std::string_view of(std::string_view value) { return value; }
};
struct choice : text {};

struct secret {
  using Value = Secret;
  static constexpr std::string_view of(std::string_view value) { return value; }
};

// Texts; the row writes them as one, with commas.
struct list {
  using Value = std::vector<std::string>;
  static constexpr std::string_view of(std::string_view value) { return value; }
};
struct pool_list {  // NAME=SLOTS
  using Value = std::map<std::string, int>;
  static constexpr std::string_view of(std::string_view value) { return value; }
};
struct queue_list {  // NAME[:POOL[:WEIGHT]]
  using Value = std::vector<QueueSpec>;
  static constexpr std::string_view of(std::string_view value) { return value; }
};

}  // namespace setting_type

// The default of each row as a constant, for the plain structs of lower layers that hold the same
// figure: so that none has one of its own.
namespace setting_default {
#define SETTING(name, member, type, fallback, min, max, sentence) \
  inline constexpr auto member = setting_type::type::of(fallback);
#include "runtime/spec/settings.def"
#undef SETTING
}  // namespace setting_default

}  // namespace quell
