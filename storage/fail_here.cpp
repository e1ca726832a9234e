#include "storage/fail_here.hpp"

#include "storage/fault.hpp"

namespace quell::storage {

void fail_acts(const Batch& batch, Moment moment) {
  const auto act = [moment](bool is_carried, Failpoint before) {
    if (!is_carried) return;
    const auto point = static_cast<Failpoint>(static_cast<int>(before) + static_cast<int>(moment));
    if (!fails_here(point)) return;
    const auto name = failpoint_infos().at(static_cast<std::size_t>(point)).name;
    throw Fault({ErrorCode::store_unavailable, "failpoint " + std::string(name)}, false);
  };
  act(!batch.marks.empty(), Failpoint::mark_before);
  act(!batch.verdicts.empty(), Failpoint::erase_before);
  act(!batch.tickets.empty(), Failpoint::ticket_before);
  act(!batch.flushes.empty(), Failpoint::flush_before);
  act(!batch.finishes.empty(), Failpoint::finish_before);
  act(!batch.starts.empty(), Failpoint::begin_before);
  act(!batch.burials.empty(), Failpoint::bury_before);
  act(!batch.calls.empty(), Failpoint::receipt_before);
  act(!batch.docs.empty(), Failpoint::document_before);
  act(!batch.enqueues.empty(), Failpoint::enqueue_before);
  act(!batch.claims.empty(), Failpoint::claim_before);
}

}  // namespace quell::storage
