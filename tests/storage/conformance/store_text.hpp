// Answers and state as lines of text: two stores agree when the lines do, and the first line that
// differs says where they do not.
#pragma once

#include <string>
#include <vector>

#include "storage/batch.hpp"
#include "storage/reader.hpp"

namespace quell::storage {

using Lines = std::vector<std::string>;

// Only what the contract promises: a field without meaning under its answer is left out.
Lines lines_of(const Outcome& outcome);

struct Interest {
  Instant now;
  std::vector<JobId> jobs;  // their side rows, and their tombstones
  std::vector<DeleteId> deletes;
  std::vector<NodeLife> lives;
};
// Every job, ticket, node, count, … and of `interest` what has to be asked for by id.
Lines lines_of(Reader& reader, const Interest& interest);

}  // namespace quell::storage
