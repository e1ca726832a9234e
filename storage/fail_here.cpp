#include "storage/fail_here.hpp"

#include <algorithm>
#include <optional>

#include "storage/fault.hpp"

namespace quell::storage {

namespace verb_failpoint {
using enum Failpoint;
constexpr std::nullopt_t no_failpoint = std::nullopt;
}  // namespace verb_failpoint

void fail_acts(const Batch& batch, Moment moment) {
  const auto act = [moment](bool is_carried, std::optional<Failpoint> before) {
    if (!is_carried || !before) return;
    const auto point = static_cast<Failpoint>(static_cast<int>(*before) + static_cast<int>(moment));
    if (!fails_here(point)) return;
    const auto name = failpoint_infos().at(static_cast<std::size_t>(point)).name;
    throw Fault({ErrorCode::store_unavailable, "failpoint " + std::string(name)}, false);
  };
#define STORE_VERB(verb, operation, answer, failpoint, lane, rows, word) \
  act(!batch.verb.empty(), verb_failpoint::failpoint);
#define STORE_VERB_SILENT(verb, operation, failpoint, lane, rows, word) \
  act(!batch.verb.empty(), verb_failpoint::failpoint);
#include "storage/spec/verbs.def"
  // A document of its own weight: with it go the alerts that it is the reason of.
  act(std::ranges::any_of(batch.docs, [](const DocOp& doc) { return doc.kind == "snapshot"; }),
      Failpoint::snapshot_before);
}

}  // namespace quell::storage
