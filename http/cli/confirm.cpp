#include "http/cli/confirm.hpp"

#include <iostream>
#include <optional>

#include "http/cli/api_client.hpp"

namespace quell::cli {

namespace {

constexpr std::size_t many = 100;
constexpr int wrong_use_exit = 2, refused_exit = 8;

// Nothing: no --confirm was given.
std::optional<int> confirmed(const Arguments& args, const std::string& number) {
  if (!args.has("confirm")) return std::nullopt;
  if (args.get("confirm") == number) return 0;
  std::cerr << "quell: --confirm says " << args.get("confirm") << ", but there are " << number
            << " jobs; nothing was done\n";
  return wrong_use_exit;
}

int type_number(const std::string& number, const std::string& verb) {
  std::string typed;
  std::cerr << "This will " << verb << ' ' << number << " jobs. Type the number to go on: ";
  std::getline(std::cin, typed);
  if (typed == number) return 0;
  std::cerr << "Nothing was done.\n";
  return refused_exit;
}

}  // namespace

int ask_for_matches(const Arguments& args, std::size_t jobs, const std::string& verb) {
  const std::string number = std::to_string(jobs);
  if (const auto said = confirmed(args, number)) return *said;
  if (args.has("yes") && jobs <= many) return 0;
  if (is_terminal()) return type_number(number, verb);
  std::cerr << "quell: to " << verb << ' ' << number << " jobs without a terminal, give "
            << (jobs <= many ? "--yes or --confirm " : "--confirm ") << number
            << "; nothing was done\n";
  return wrong_use_exit;
}

int ask_for(const Arguments& args, std::size_t jobs, const std::string& verb) {
  if (jobs == 0) {
    std::cerr << "quell: no ids were given\n";
    return wrong_use_exit;
  }
  if (args.has("dry-run")) return 0;
  const std::string number = std::to_string(jobs);
  if (const auto said = confirmed(args, number)) return *said;
  if (jobs == 1) return 0;
  if (args.has("yes") && jobs <= many) return 0;
  if (!is_terminal()) {
    std::cerr << "quell: to " << verb << ' ' << number << " jobs without a terminal, give "
              << (jobs <= many ? "--yes" : "--confirm " + number) << "; nothing was done\n";
    return wrong_use_exit;
  }
  if (jobs > many) return type_number(number, verb);
  std::string typed;
  std::cerr << verb << ' ' << number << " jobs? [y/N] ";
  std::getline(std::cin, typed);
  if (typed == "y" || typed == "Y" || typed == "yes") return 0;
  std::cerr << "Nothing was done.\n";
  return refused_exit;
}

}  // namespace quell::cli
