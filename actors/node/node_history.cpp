// The store has lost what it had acknowledged: deleted jobs may be back, submitted ones gone. It is
// written down where every node sees it, deletions are frozen until a person says go on, and
// nothing that this process remembers goes on.
#include <nlohmann/json.hpp>
#include <thread>

#include "actors/node/node_runtime.hpp"

namespace quell {

namespace {
constexpr int tries = 20;
constexpr std::chrono::milliseconds between_tries{250};
}  // namespace

// A new connection finds it before it writes anything, so nothing was written yet by this process.
Result<std::unique_ptr<storage::Writer>> NodeRuntime::open_first_writer() {
  auto writer = store_->open_writer();
  const std::string lost = store_->lost();
  if (writer || lost.empty()) return writer;
  if (auto told = tell_lost(lost); !told) return told.error();
  store_->accept_history();
  return store_->open_writer();
}

// Called by whoever meets a fault of the store, from any thread.
void NodeRuntime::doubt_history(const std::string& why) {
  const std::string lost = why.empty() ? store_->lost() : why;
  if (lost.empty() || history_told_.exchange(true)) return;
  lease_.end();
  // Who cannot write it down leaves all the same: its data directory still knows, for its next
  // start.
  for (int left = tries; left > 0 && !tell_lost(lost); --left)
    std::this_thread::sleep_for(between_tries);
  say(LogLevel::error, "nothing that is remembered here may go on: the process ends now");
  leave_process();
}

Result<void> NodeRuntime::tell_lost(const std::string& why) {
  FreezeOrder order;
  order.who = "quell";
  order.reason = why;
  order.at = system_clock().now();
  order.history_lost = true;
  say(LogLevel::error, why + ": deletions are frozen until an administrator says go on");
  // By a store of its own: this one refuses whatever is asked of it, and must.
  std::unique_ptr<storage::Store> apart;
  if (store_->shared()) {
    auto opened = storage::open_store(settings_.store, {.unsafe = settings_.unsafe});
    if (!opened) return opened.error();
    apart = std::move(opened).value();
  }
  auto writer = (apart ? *apart : *store_).open_writer();
  if (!writer) return writer.error();
  storage::Batch batch;
  batch.docs.push_back(Freeze::doc(order));
  batch.audits.push_back({order.at, order.who, "history.lost", "",
                          nlohmann::json{{"reason", why}}.dump(
                              -1, ' ', false, nlohmann::json::error_handler_t::replace)});
  if (auto told = (*writer)->apply(batch); !told) return told.error();
  // The next start has nothing to compare.
  acknowledged_.clear();
  if (data_dir_) data_dir_->keep_acknowledged({});
  return {};
}

void NodeRuntime::keep_acknowledged() {
  if (!data_dir_ || !store_ || history_told_ || !store_->lost().empty()) return;
  std::string now = store_->acknowledged();
  if (now == acknowledged_) return;
  data_dir_->keep_acknowledged(now);
  acknowledged_ = std::move(now);
}

}  // namespace quell
