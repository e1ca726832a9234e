// Asking before harm is done, and never where nobody can answer: one named id goes without a
// question, several ask y/N, many want their number typed.
#pragma once

#include <string>

#include "http/cli/verbs.hpp"

namespace quell::cli {

// 0: go on. Else the reason is told, nothing may be sent, and it is the exit code.
int ask_for(const Arguments& args, std::size_t jobs, const std::string& verb);
// The same for what a filter found: its number is typed, however small, or given by --confirm.
int ask_for_matches(const Arguments& args, std::size_t jobs, const std::string& verb);

}  // namespace quell::cli
