// Finished jobs by the million, written past the store's verbs in its own schema, as years of use
// would have left them: with expiry, with indexes, counted in the tally.
#pragma once

#include <string>

namespace quell::bench {

// The store must exist already (its schema is made by whoever opens it), and nobody may have it
// open.
void write_history(const std::string& store, long jobs);

}  // namespace quell::bench
