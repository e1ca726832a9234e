// All verbs on one connection, in the order of a batch.
#pragma once

#include "storage/postgres/claim.hpp"
#include "storage/postgres/delivery.hpp"
#include "storage/postgres/document.hpp"
#include "storage/postgres/enqueue.hpp"
#include "storage/postgres/fast_finish.hpp"
#include "storage/postgres/finish.hpp"
#include "storage/postgres/flush.hpp"
#include "storage/postgres/mark.hpp"
#include "storage/postgres/neighbours.hpp"
#include "storage/postgres/node.hpp"
#include "storage/postgres/steer.hpp"
#include "storage/postgres/verdict.hpp"

namespace quell::storage::postgres {

class Verbs {
 public:
  Verbs(const Address& address, Neighbours& neighbours, ClaimCursors& cursors)
      : session_(address, Connection::Use::write, cursors), neighbours_(neighbours) {}
  // One transaction. `careful`: nothing is assumed that could be looked up.
  Outcome apply(const Batch& batch, bool careful, bool notify);
  void tend(Instant now);

 private:
  Outcome in_order(const Batch& batch, bool careful);
  void about_jobs(const Batch& batch, bool careful, Outcome& out);

  Session session_;
  Neighbours& neighbours_;
  Sheet sheet_{session_};
  Mark mark_{sheet_};
  Verdicts verdicts_{sheet_};
  Steer steer_{sheet_};
  Flush flush_{sheet_};
  Finish finish_{sheet_};
  FastFinish fast_finish_{session_};
  Nodes nodes_{session_};
  Bury bury_{sheet_, verdicts_};
  Deliveries deliveries_{session_, nodes_, sheet_};
  Documents documents_{session_};
  Enqueue enqueue_{session_};
  Claim claim_{session_, nodes_};
};

}  // namespace quell::storage::postgres
