#include "actors/writes/writer_pool.hpp"

#include <algorithm>
#include <utility>

#include "runtime/base/assert.hpp"

namespace quell {

namespace {

bool claims_under_limits(const storage::Batch& ops) {
  return std::any_of(ops.claims.begin(), ops.claims.end(),
                     [](const storage::ClaimOp& claim) { return claim.limits.any(); });
}

}  // namespace

WriterPool::WriterPool(std::vector<std::shared_ptr<storage::Writer>> writers) {
  QUELL_ASSERT(!writers.empty());
  for (auto& writer : writers) writers_.push_back({std::move(writer)});
}

storage::Writer& WriterPool::own() {
  QUELL_ASSERT(!busy());
  return *writers_.front().writer;
}

WriterPool::Given WriterPool::give(std::shared_ptr<Commit> commit) {
  const auto is_free = [](const PooledWriter& writer) { return writer.commit == nullptr; };
  auto idle = writers_.begin();
  if (!claims_under_limits(commit->joined.ops()))
    idle = std::prev(std::find_if(writers_.rbegin(), writers_.rend(), is_free).base());
  QUELL_ASSERT(several() && !all_busy() && is_free(*idle));
  busy_ += 1;
  idle->commit = std::move(commit);
  std::shared_ptr<const storage::Batch> batch(idle->commit, &idle->commit->joined.ops());
  return {static_cast<std::size_t>(idle - writers_.begin()), std::move(batch)};
}

std::shared_ptr<Commit> WriterPool::take_back(std::size_t writer) {
  QUELL_ASSERT(writer < writers_.size() && writers_[writer].commit != nullptr);
  busy_ -= 1;
  return std::exchange(writers_[writer].commit, nullptr);
}

}  // namespace quell
