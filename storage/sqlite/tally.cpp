#include "storage/sqlite/tally.hpp"

namespace quell::storage::sqlite {

Tally::Tally(Connection& db)
    : add_(db,
           "INSERT INTO tally (project, queue, state, n) VALUES (?, ?, ?, ?)"
           " ON CONFLICT DO UPDATE SET n = n + excluded.n") {}

Tally::Deltas& Tally::row(std::string_view project, std::string_view queue) {
  const auto fits = [&](const Line& line) {
    return line.queue == queue && line.project == project;
  };
  if (last_ < lines_.size() && fits(lines_[last_])) return lines_[last_].deltas;
  for (last_ = 0; last_ < lines_.size(); ++last_)
    if (fits(lines_[last_])) return lines_[last_].deltas;
  lines_.push_back(Line{std::string(project), std::string(queue), {}});
  return lines_.back().deltas;
}

void Tally::write() {
  for (const Line& line : lines_)
    for (std::size_t state = 0; state < states; ++state)
      if (line.deltas[state] != 0)
        add_.run(line.project, line.queue, static_cast<int>(state), line.deltas[state]);
  lines_.clear();
}

}  // namespace quell::storage::sqlite
