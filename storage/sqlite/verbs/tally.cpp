#include "storage/sqlite/verbs/tally.hpp"

namespace quell::storage::sqlite {

Tally::Tally(Connection& db)
    : add_(db,
           "INSERT INTO tally (project, queue, state, n) VALUES (?, ?, ?, ?)"
           " ON CONFLICT DO UPDATE SET n = n + excluded.n") {}

void Tally::write() {
  for (const Line& line : lines())
    for (std::size_t state = 0; state < states; ++state)
      if (line.deltas[state] != 0)
        add_.run(line.project, line.queue, static_cast<int>(state), line.deltas[state]);
  forget();
}

}  // namespace quell::storage::sqlite
