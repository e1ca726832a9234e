// "Raw SQL": what the store's own verbs do in one thread, in batches of 500, for the same rows,
// with nobody else at work. Every figure of the whole runtime stands beside this one.
#pragma once

#include <cstddef>
#include <string>

namespace quell::bench {

struct RawRates {  // jobs per second
  double enqueue = 0, run = 0, erase = 0;
};

// Jobs into an empty store, for whoever comes to drain it.
void fill(const std::string& store, std::size_t jobs);

RawRates raw_rates(const std::string& store, std::size_t jobs, bool erase = false);

}  // namespace quell::bench
