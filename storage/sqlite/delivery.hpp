// Webhook deliveries: waiting, in flight with one owner, or ended and kept for their log.
#pragma once

#include "storage/sqlite/session.hpp"

namespace quell::storage::sqlite {

class Deliveries {
 public:
  explicit Deliveries(Session& session);
  bool apply(const DeliveryEndOp& op);
  std::vector<ClaimedDelivery> apply(const DeliveryClaimOp& op);
  bool apply(const NoticeOp& op);
  bool apply(const RedeliverOp& op);

 private:
  Session& session_;
  Statement end_, next_, take_, own_, add_, again_;
};

}  // namespace quell::storage::sqlite
