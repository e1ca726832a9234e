// What a transaction erased, as one audit row per call: the digest of its sorted lines stands for
// them, so that a later reader can prove which jobs were meant without the row naming each.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/batch.hpp"
#include "storage/erase_digest.hpp"
#include "storage/sqlite/statement.hpp"

namespace quell::storage::sqlite {

enum class Way : std::uint8_t { erase, force };  // in the order of their rows

class AuditLines {
 public:
  explicit AuditLines(Connection& db);
  void erased(DeleteId call, Way way, std::string_view who, Instant at, const ErasedJob& job);
  void add(const AuditOp& op);
  void write();
  void forget() { calls_.clear(); }

 private:
  struct Call {
    std::string who;
    Instant at;
    std::vector<ErasedJob> jobs;
  };
  std::map<std::pair<DeleteId, Way>, Call> calls_;
  Statement insert_;
};

}  // namespace quell::storage::sqlite
