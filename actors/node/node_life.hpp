// A node's lives: each start is one, and takes back what earlier ones held. Their process is proven
// dead by the locks of the data directory, as long as they were its own (see Births), their
// programs by the keeper's record.
#pragma once

#include <string>

#include "actors/node/data_dir.hpp"
#include "actors/node/node.hpp"

namespace quell {

struct BegunLife {
  storage::NodeLife self;
  storage::RecoverResult recovered;
};

// What others are shown of the node, as JSON.
std::string node_info(const NodeSettings& settings, const std::vector<PoolView>& pools,
                      const std::string& state);

// `listeners` hear of what the recovery ends: jobs given up, deletes finished. A life 0 is none:
// the node's last start was not one of `births.earlier`, and its process may live.
Result<BegunLife> begin_life(storage::Writer& writer, NodeId node, const NodeSettings& settings,
                             std::shared_ptr<const SubscriptionSet> listeners, IdSource& ids,
                             Instant now, const Births& births = {},
                             Verdict of_earlier = Verdict::process_died);
// Takes back what all lives of a node held whose process nobody can speak for. Only where no other
// node watches it.
Result<storage::RecoverResult> recover_unproven(storage::Writer& writer, NodeId node,
                                                const NodeSettings& settings,
                                                std::shared_ptr<const SubscriptionSet> listeners,
                                                IdSource& ids, Instant now);

// What a person told a node to do: a document, so that a node that is away hears it when it is
// back.
storage::DocOp node_order(const storage::NodeLife& node, bool stop);
enum class NodeOrder : std::uint8_t { none, drain, stop };
NodeOrder order_in(const storage::Doc& doc, const storage::NodeLife& self);

}  // namespace quell
