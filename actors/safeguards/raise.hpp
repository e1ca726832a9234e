// How an alert is said: stored, to whoever listens, in the log, the metrics and the audit; once,
// whichever nodes come to it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/node_context.hpp"
#include "actors/safeguards/alert.hpp"
#include "runtime/policy/webhook_outbox.hpp"

namespace quell {

std::string detail_of(const Alert& alert);
NodeEvent event_of(const Alert& alert);
// Those who listen in the call's project; of a call of all projects, in the one that is there.
void add_notices(const SubscriptionSet& listeners, const Alert& alert, storage::Batch& ops);

// In one transaction with what `ops` has already. `written` hears its outcome.
void raise_alerts(const std::shared_ptr<NodeContext>& context, std::vector<Alert> alerts,
                  const std::shared_ptr<storage::Batch>& ops,
                  std::function<void(const Result<storage::Outcome>&)> written = {});

}  // namespace quell
