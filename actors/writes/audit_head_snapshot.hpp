// The last sealed audit row, as the receipts carry it out of the database.
#pragma once

#include <mutex>

#include "runtime/signing/audit_chain.hpp"

namespace quell {

class AuditHeadSnapshot {
 public:
  void write(const AuditHead& head) {
    const std::lock_guard lock(mutex_);
    if (head.no > head_.no) head_ = head;
  }
  AuditHead read() const {
    const std::lock_guard lock(mutex_);
    return head_;
  }

 private:
  mutable std::mutex mutex_;
  AuditHead head_;
};

}  // namespace quell
