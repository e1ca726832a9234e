#include "actors/sealer.hpp"

#include <caf/all.hpp>

#include "actors/reader_pool.hpp"
#include "actors/roles.hpp"
#include "actors/send.hpp"
#include "storage/audit_entry.hpp"

namespace quell {

namespace {

constexpr Millis period{500};
constexpr int slice_max = 500;
constexpr int refusals_worth_a_word = 3;

class Sealer : public caf::event_based_actor {
 public:
  Sealer(caf::actor_config& config, std::shared_ptr<Cast> cast)
      : caf::event_based_actor(config), cast_(std::move(cast)) {}

  const char* name() const override { return "sealer"; }

  caf::behavior make_behavior() override {
    set_default_handler(caf::print_and_drop);
    look_later(Millis{0});
    return {
        [this](SealNow) { look(); },
        [this](AuditRead& read) { seal_read(read); },
        [this](const AuditSealed& sealed) { this->sealed(sealed); },
    };
  }

  void on_exit() override {
    if (timer_) cast_->timers->cancel(*timer_);
    cast_.reset();
  }

 private:
  void look_later(Millis delay) {
    timer_ = cast_->timers->after(delay, [self = weak(this)] { tell(self, SealNow{}); });
  }

  // The head is read each time: another node may have led meanwhile. Also whoever does not lead
  // reads it, for the receipts.
  void look() {
    const bool leads = cast_->roles->leads(Role::sealer);
    cast_->readers->run([self = weak(this), leads](storage::Reader& reader) {
      AuditRead read{std::vector<storage::AuditRow>{}, std::nullopt};
      auto head = reader.audit_head();
      if (!head) {
        read.rows = head.error();
      } else {
        read.head = std::move(head).value();
        if (leads) read.rows = reader.audit(read.head ? read.head->no : 0, slice_max);
      }
      tell(self, std::move(read));
    });
  }

  void seal_read(const AuditRead& read) {
    if (!read.rows) return look_later(period);
    AuditHead head;
    if (read.head) {
      const auto hash = storage::digest_of_hex(read.head->hash);
      if (!hash) return refused();
      head = {read.head->no, *hash};
      cast_->audit_head.write(head);
    }
    std::vector<AuditEntry> entries;
    for (const storage::AuditRow& row : *read.rows)
      if (row.hash.empty()) entries.push_back(storage::entry_of(row));
    if (entries.empty()) return look_later(period);
    write(head, entries);
  }

  void write(const AuditHead& head, const std::vector<AuditEntry>& entries) {
    const std::vector<Digest> hashes = seal(head, entries);
    auto ops = std::make_shared<storage::Batch>();
    storage::SealOp& op = ops->seals.emplace_back();
    for (std::size_t i = 0; i < entries.size(); ++i)
      op.hashes.emplace_back(entries[i].no, hex(hashes[i]));
    AuditSealed news;
    news.more = entries.size() == static_cast<std::size_t>(slice_max);
    news.head = {entries.back().no, hashes.back()};
    tell(cast_->clerk,
         WriteOps{std::move(ops), [self = weak(this), news](Result<storage::Outcome> outcome) {
                    AuditSealed sealed = news;
                    sealed.sealed = outcome.ok() && outcome->seals.front();
                    tell(self, sealed);
                  }});
  }

  void sealed(const AuditSealed& news) {
    if (!news.sealed) return refused();
    refusals_ = 0;
    cast_->audit_head.write(news.head);
    look_later(news.more ? Millis{0} : period);
  }

  // Rows on their way, or another sealer, are a matter of one more look; a row that was slipped in
  // before the head is not.
  void refused() {
    if (++refusals_ == refusals_worth_a_word && cast_->settings->log)
      cast_->settings->log(LogLevel::error,
                           "the audit log cannot be sealed any further: `quell audit verify` "
                           "names the first row that is wrong",
                           "");
    look_later(period);
  }

  std::shared_ptr<Cast> cast_;
  std::optional<Timers::Id> timer_;
  int refusals_ = 0;
};

}  // namespace

caf::actor spawn_sealer(caf::actor_system& system, std::shared_ptr<Cast> cast) {
  if (cast->own_threads) return system.spawn<Sealer, caf::detached>(std::move(cast));
  return system.spawn<Sealer>(std::move(cast));
}

}  // namespace quell
