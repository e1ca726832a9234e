// Every verb of the command line, once: the parser, the help, the completions and the reference
// page are made from this table.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/task/task.hpp"

namespace quell::cli {

// What was typed, by names of the table.
struct Arguments {
  std::string verb;
  std::vector<std::string> words;  // what is not an option
  std::map<std::string, std::vector<std::string>, std::less<>> options;

  bool has(std::string_view name) const { return options.find(name) != options.end(); }
  std::string get(std::string_view name, std::string fallback = {}) const {
    const auto found = options.find(name);
    return found == options.end() || found->second.empty() ? std::move(fallback)
                                                           : found->second.back();
  }
};

struct Option {
  std::string_view name;   // without dashes
  std::string_view value;  // what stands for the value in the help; "" for a flag
  std::string_view sentence;
  bool many = false;
  char letter = 0;  // -q
};

enum class Words : std::uint8_t { none, one, maybe_one, one_or_two, some, any };

struct Verb {
  std::string_view name;       // "delete", "queue pause"
  std::string_view words_are;  // "ID…"
  Words words;
  std::string_view sentence;
  std::string_view example;
  std::span<const Option> options;
  int (*run)(const Arguments&);  // null: `run` itself does it
  bool is_client;                // takes the options of every client verb
};

std::span<const Verb> verbs();
std::span<const Option> client_options();
std::string_view group_sentence(std::string_view group);  // of "queue", "pool", …

// Nothing to do (help was shown, or the line is wrong): the exit code.
struct Parsed {
  const Verb* verb = nullptr;
  Arguments arguments;
  int exit_code = 0;
};
Parsed parse_command_line(int argc, char** argv);

}  // namespace quell::cli
