// Webhook deliveries: waiting, in flight with one owner, or ended and kept for their log.
#pragma once

#include "storage/sqlite/connection/sqlite_session.hpp"

namespace quell::storage::sqlite {

class Deliveries final : public NoticeRows {
 public:
  explicit Deliveries(SqliteSession& session);
  bool apply(const DeliveryEndOp& op);
  std::vector<ClaimedDelivery> apply(const DeliveryClaimOp& op);
  bool apply(const NoticeOp& op);
  bool apply(const RedeliverOp& op);
  std::map<Uuid, Known> find(const std::vector<Uuid>& ids) override;
  void add(const std::vector<NewDelivery>& notices) override;
  void change(Uuid id, const std::string& body, Instant due) override;

 private:
  SqliteSession& session_;
  Statement end_, next_, take_, own_, add_, again_, find_, change_;
};

}  // namespace quell::storage::sqlite
