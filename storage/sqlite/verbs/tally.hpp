// The counts of a batch, written to the table.
#pragma once

#include "storage/sqlite/connection/statement.hpp"
#include "storage/tally_deltas.hpp"

namespace quell::storage::sqlite {

class Tally : public TallyDeltas {
 public:
  explicit Tally(Connection& db);
  void write();

 private:
  Statement add_;
};

}  // namespace quell::storage::sqlite
