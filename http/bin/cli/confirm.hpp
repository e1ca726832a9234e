// Asking before harm is done, and never where nobody can answer: one named id goes without a
// question, several ask y/N, many want their number typed.
#pragma once

#include <string>

#include "http/bin/cli/verbs.hpp"

namespace quell::cli {

// False, and the reason is told: nothing may be sent.
bool confirmed(const Arguments& args, std::size_t jobs, const std::string& verb);

}  // namespace quell::cli
