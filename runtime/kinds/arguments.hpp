// Reads a job's args by name and type, and remembers the first thing that is wrong as a sentence
// that names the field. The same reading serves the check at submit and the run.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/clock.hpp"
#include "runtime/base/result.hpp"
#include "runtime/task/effects.hpp"

namespace quell {

class Arguments {
 public:
  // `where`: what stands before a field's name in a sentence.
  Arguments(std::string kind, const std::string& text, std::string where = "args.");

  std::string text(const char* name, std::string fallback);
  std::string needed_text(const char* name);  // there, and not empty
  bool flag(const char* name, bool fallback);
  std::int64_t integer(const char* name, std::int64_t fallback, std::int64_t least,
                       std::int64_t most);
  std::optional<double> number(const char* name, double least, double most);
  Millis seconds(const char* name, Millis fallback, Millis most);
  std::vector<std::string> needed_texts(const char* name);  // an array of texts, not empty
  Headers text_pairs(const char* name);                     // an object of texts
  const nlohmann::json* value(const char* name);            // null: absent

  void wrong(std::string sentence);  // kept, if it is the first
  // The first fault; else a field that nobody asked for, with the nearest name that is known.
  Result<void> verdict() const;

 private:
  const nlohmann::json* find(const char* name);
  void wrong_type(const char* name, const char* wanted);

  std::string kind_, where_;
  nlohmann::json args_;
  std::vector<std::string_view> known_;  // names are literals
  std::optional<Error> fault_;
};

}  // namespace quell
