// Webhook deliveries: waiting, in flight with one owner, or ended and kept for their log.
#pragma once

#include "storage/postgres/verbs/node.hpp"

namespace quell::storage::postgres {

class Deliveries final : public NoticeRows {
 public:
  Deliveries(PgSession& session, Nodes& nodes, WorkingSet& rows)
      : session_(session), nodes_(nodes), rows_(rows) {}
  std::vector<bool> apply(const std::vector<DeliveryEndOp>& ops);
  std::vector<ClaimedDelivery> apply(const DeliveryClaimOp& op);
  bool apply(const NoticeOp& op);
  bool apply(const RedeliverOp& op);
  std::map<Uuid, Known> find(const std::vector<Uuid>& ids) override;
  void add(const std::vector<NewDelivery>& notices) override;
  void change(Uuid id, const std::string& body, Instant due) override;

 private:
  PgSession& session_;
  Nodes& nodes_;
  WorkingSet& rows_;
};

}  // namespace quell::storage::postgres
