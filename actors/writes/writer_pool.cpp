#include "actors/writes/writer_pool.hpp"

#include <algorithm>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include "actors/send.hpp"
#include "actors/writes/write_worker.hpp"
#include "runtime/base/assert.hpp"

namespace quell {

namespace {

bool claims_under_limits(const storage::Batch& ops) {
  return std::any_of(ops.claims.begin(), ops.claims.end(),
                     [](const storage::ClaimOp& claim) { return claim.limits.any(); });
}

}  // namespace

WriterPool::WriterPool(caf::actor_system& system,
                       std::vector<std::unique_ptr<storage::Writer>> writers,
                       const NodeContext& context) {
  QUELL_ASSERT(!writers.empty());
  for (auto& writer : writers) writers_.push_back({std::move(writer)});
  if (!several()) return;
  for (PooledWriter& writer : writers_)
    writer.write_worker = spawn_write_worker(system, writer.writer, context);
}

storage::Writer& WriterPool::own() {
  QUELL_ASSERT(!busy());
  return *writers_.front().writer;
}

std::size_t WriterPool::give(std::shared_ptr<Commit> commit, const caf::weak_actor_ptr& clerk) {
  const auto is_free = [](const PooledWriter& writer) { return writer.commit == nullptr; };
  auto idle = writers_.begin();
  if (!claims_under_limits(commit->joined.ops()))
    idle = std::prev(std::find_if(writers_.rbegin(), writers_.rend(), is_free).base());
  QUELL_ASSERT(several() && !all_busy() && is_free(*idle));
  busy_ += 1;
  idle->commit = std::move(commit);
  std::shared_ptr<const storage::Batch> batch(idle->commit, &idle->commit->joined.ops());
  const auto writer = static_cast<std::size_t>(idle - writers_.begin());
  tell(idle->write_worker, ApplyBatch{writer, std::move(batch), clerk});
  return writer;
}

std::shared_ptr<Commit> WriterPool::take_back(std::size_t writer) {
  QUELL_ASSERT(writer < writers_.size() && writers_[writer].commit != nullptr);
  busy_ -= 1;
  return std::exchange(writers_[writer].commit, nullptr);
}

void WriterPool::dismiss() {
  for (PooledWriter& writer : writers_) {
    if (writer.write_worker)
      caf::anon_send_exit(writer.write_worker, caf::exit_reason::user_shutdown);
    writer.write_worker = nullptr;
  }
}

}  // namespace quell
