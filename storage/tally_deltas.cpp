#include "storage/tally_deltas.hpp"

namespace quell::storage {

TallyDeltas::Deltas& TallyDeltas::row(std::string_view project, std::string_view queue) {
  const auto fits = [&](const Line& line) {
    return line.queue == queue && line.project == project;
  };
  if (last_ < lines_.size() && fits(lines_[last_])) return lines_[last_].deltas;
  for (last_ = 0; last_ < lines_.size(); ++last_)
    if (fits(lines_[last_])) return lines_[last_].deltas;
  lines_.push_back(Line{std::string(project), std::string(queue), {}});
  return lines_.back().deltas;
}

}  // namespace quell::storage
