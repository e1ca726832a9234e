#include "storage/postgres/verbs/writer.hpp"

#include <thread>

#include "storage/postgres/connection/reconnect.hpp"
#include "storage/postgres/verbs/verbs.hpp"
#include "storage/replay.hpp"

namespace quell::storage::postgres {

namespace {

constexpr int most_tries = 8;
constexpr std::chrono::milliseconds first_pause{2};  // doubled; two that collided part by this

class PostgresWriter final : public Writer {
 public:
  PostgresWriter(const Address& address, SharedState& common)
      : notify_(address.notify),
        upkeep_(common.upkeep),
        verbs_([address, &common, writer = common.history.add_writer()] {
          return std::make_unique<Verbs>(address, common, writer);
        }) {}

  Result<Outcome> apply(const Batch& batch) override {
    try {
      try {
        return tried(batch);
      } catch (const PgFault& fault) {
        if (!fault.is_data()) throw;
      }
      return one_by_one(batch, [this](const Batch& single) { return tried(single); });
    } catch (const Fault& fault) {
      return fault.error();
    }
  }

  Result<void> upkeep(Instant now) override {
    try {
      verbs_.get().upkeep(now);
    } catch (const PgFault& fault) {
      if (fault.cure() == Cure::reconnect) verbs_.drop();
      return fault.error();
    }
    return {};
  }

 private:
  // Throws what no further try would cure; a data fault for the replay.
  Outcome tried(const Batch& batch) {
    bool careful = false;
    auto pause = first_pause;
    for (int left = most_tries;; --left) {
      try {
        Outcome out = verbs_.get().apply(batch, careful, notify_);
        count_churn(batch, out);
        return out;
      } catch (const PgFault& fault) {
        if (fault.cure() == Cure::reconnect) verbs_.drop();
        const bool assumed_wrong = !careful && (fault.is_data() || fault.cure() == Cure::again);
        careful = true;
        if (assumed_wrong && left > 0) continue;
        if (fault.cure() != Cure::again) throw;
        if (left == 0) {
          const bool by_values = fault.error().code == ErrorCode::internal;
          throw PgFault(fault.error(), by_values ? Cure::data : Cure::none);
        }
        std::this_thread::sleep_for(pause);
        pause *= 2;
      } catch (const Fault& fault) {  // refused before it was sent
        throw PgFault(fault.error(), fault.is_data() ? Cure::data : Cure::none);
      }
    }
  }

  void count_churn(const Batch& batch, const Outcome& out) {
    std::size_t dead = batch.finishes.size();
    for (const auto& claimed : out.claims) dead += claimed.size();
    for (const auto& marked : out.marks) dead += marked.size();
    if (dead > 0) upkeep_.churned(dead);
  }

  bool notify_;
  Upkeep& upkeep_;
  Reconnect<Verbs> verbs_;
};

}  // namespace

std::unique_ptr<Writer> make_writer(const Address& address, SharedState& common) {
  return std::make_unique<PostgresWriter>(address, common);
}

}  // namespace quell::storage::postgres
