// Whether deletions are frozen: one document of the store, for the whole fleet, as this node last
// read it. Another node's freeze is known here within a look of the registrar.
#pragma once

#include <mutex>
#include <optional>

#include "actors/node/node.hpp"

namespace quell {

class Freeze {
 public:
  Result<void> load(storage::Reader& reader);
  void adopt(const std::optional<storage::Doc>& doc);
  void wrote(const FreezeOrder& order, std::int64_t version);
  bool on() const;
  // Why, when it is because the store has lost what it had acknowledged; "" else.
  std::string lost() const;

  static Result<std::optional<storage::Doc>> read(storage::Reader& reader);
  static FreezeOrder order_of(const storage::Doc& doc);
  static storage::DocOp doc(const FreezeOrder& order);

 private:
  void take(bool frozen, std::string lost, std::int64_t version);
  mutable std::mutex mutex_;
  bool on_ = false;
  std::string lost_;
  std::int64_t version_ = 0;  // of the document that says so
};

}  // namespace quell
