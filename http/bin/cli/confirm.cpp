#include "http/bin/cli/confirm.hpp"

#include <iostream>

#include "http/bin/cli/session.hpp"

namespace quell::cli {

namespace {

constexpr std::size_t many = 100;
constexpr int usage_exit = 2, refused_exit = 8;

}  // namespace

int ask_for(const Arguments& args, std::size_t jobs, const std::string& verb) {
  if (jobs == 0) {
    std::cerr << "quell: no ids were given\n";
    return usage_exit;
  }
  if (args.has("dry-run")) return 0;
  const std::string number = std::to_string(jobs);
  if (args.has("confirm")) {
    if (args.get("confirm") == number) return 0;
    std::cerr << "quell: --confirm says " << args.get("confirm") << ", but there are " << number
              << " jobs; nothing was done\n";
    return usage_exit;
  }
  if (jobs == 1) return 0;
  if (args.has("yes") && jobs <= many) return 0;
  if (!is_terminal()) {
    std::cerr << "quell: to " << verb << ' ' << number << " jobs without a terminal, give "
              << (jobs <= many ? "--yes" : "--confirm " + number) << "; nothing was done\n";
    return usage_exit;
  }
  std::string typed;
  if (jobs > many) {
    std::cerr << "This will " << verb << ' ' << number << " jobs. Type the number to go on: ";
    std::getline(std::cin, typed);
    if (typed == number) return 0;
  } else {
    std::cerr << verb << ' ' << number << " jobs? [y/N] ";
    std::getline(std::cin, typed);
    if (typed == "y" || typed == "Y" || typed == "yes") return 0;
  }
  std::cerr << "Nothing was done.\n";
  return refused_exit;
}

}  // namespace quell::cli
