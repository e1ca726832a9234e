#include "actors/writes/sealer.hpp"

#include <fmt/format.h>

#include <caf/all.hpp>

#include "actors/control_actor.hpp"
#include "actors/node/reader_pool.hpp"
#include "actors/node/roles.hpp"
#include "actors/send.hpp"
#include "runtime/base/hex.hpp"
#include "storage/audit_check.hpp"
#include "storage/audit_entry.hpp"

namespace quell {

namespace {

constexpr Millis period{500};
constexpr int slice_max = 500;
constexpr int refusals_worth_a_check = 3;

class Sealer : public ControlActor {
 public:
  Sealer(caf::actor_config& config, const ControlSeat& seat, std::shared_ptr<NodeContext> context)
      : ControlActor(config, seat), context_(std::move(context)) {}

  caf::behavior make_behavior() override {
    look_later(Millis{0});
    return {
        [this](SealNow) { look(); },
        [this](AuditRead& read) { seal_read(read); },
        [this](const AuditSealed& sealed) { this->sealed(sealed); },
        [this](const AuditChecked& checked) { this->checked(checked); },
    };
  }

  void on_exit() override {
    if (timer_) context_->timers->cancel(*timer_);
    context_.reset();
  }

 private:
  void look_later(Millis delay) {
    timer_ = context_->timers->after(delay, [self = weak(this)] { tell(self, SealNow{}); });
  }

  // The head is read each time: another node may have led meanwhile. Also whoever does not lead
  // reads it, for the receipts.
  void look() {
    const bool leads = context_->roles->leads(Role::sealer);
    context_->readers->run([self = weak(this), leads](storage::Reader& reader) {
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

  // The chain only grows, and each look is behind the one before.
  static std::string lost_of(const AuditHead& known, const AuditRead& read) {
    if (known.no == 0) return {};
    const auto says = [&known](const std::string& what) {
      return "the audit log was sealed up to no. " + std::to_string(known.no) + ", and now " + what;
    };
    if (!read.head) return says("nothing of it is");
    if (read.head->no < known.no) return says("up to no. " + std::to_string(read.head->no));
    if (read.head->no == known.no && read.head->hash != hex(known.hash))
      return says("that row is another one");
    return {};
  }

  void seal_read(const AuditRead& read) {
    if (!read.rows) return look_later(period);
    if (const std::string lost = lost_of(context_->audit_head.read(), read); !lost.empty()) {
      context_->doubt_history(lost);
      return look_later(period);
    }
    AuditHead head;
    if (read.head) {
      const auto hash = storage::digest_of_hex(read.head->hash);
      if (!hash) return refused();
      head = {read.head->no, *hash};
      context_->audit_head.write(head);
    }
    std::vector<AuditEntry> entries;
    for (const storage::AuditRow& row : *read.rows) {
      // Sealed between the two looks, by another node or by a commit of our own whose answer was
      // lost: the head is not the last one any more.
      if (!row.hash.empty()) return look_later(period);
      entries.push_back(storage::entry_of(row));
    }
    if (entries.empty()) return look_later(period);
    write(head, entries);
  }

  void write(const AuditHead& head, const std::vector<AuditEntry>& entries) {
    const std::vector<Digest> hashes = seal(head, entries);
    auto ops = std::make_shared<storage::Batch>();
    storage::SealOp& op = ops->seals.emplace_back();
    op.after = head.no;
    for (std::size_t i = 0; i < entries.size(); ++i)
      op.hashes.emplace_back(entries[i].no, hex(hashes[i]));
    const bool more = entries.size() == static_cast<std::size_t>(slice_max);
    AuditSealed message{false, more, {entries.back().no, hashes.back()}};
    tell(context_->clerk,
         WriteOps{std::move(ops), [self = weak(this), message](Result<storage::Outcome> outcome) {
                    AuditSealed sealed = message;
                    if (outcome)
                      sealed.sealed = bool{outcome->seals.front()};
                    else
                      sealed.sealed = outcome.error();
                    tell(self, sealed);
                  }});
  }

  void sealed(const AuditSealed& message) {
    if (!message.sealed) return look_later(period);  // the store is away, and says nothing of rows
    if (!*message.sealed) return refused();
    refusals_ = 0;
    context_->audit_head.write(message.head);
    look_later(message.more ? Millis{0} : period);
  }

  // Rows on their way, or another sealer, are a matter of one more look; a row that was slipped in
  // before the head is not. Which of them it is, only the chain can tell.
  void refused() {
    if (++refusals_ == refusals_worth_a_check)
      context_->readers->run([self = weak(this)](storage::Reader& reader) {
        tell(self, AuditChecked{storage::check_audit(reader)});
      });
    look_later(period);
  }

  void checked(const AuditChecked& checked) {
    const bool is_wrong = checked.check && checked.check->fault;
    if (!is_wrong) refusals_ = 0;
    if (is_wrong && context_->settings->log)
      context_->settings->log(
          LogLevel::error,
          fmt::format("the audit log cannot be sealed any further: row {} is the first that was "
                      "changed by other hands; `quell audit verify` says more",
                      checked.check->fault_no),
          "");
  }

  std::shared_ptr<NodeContext> context_;
  std::optional<Timers::Id> timer_;
  int refusals_ = 0;
};

}  // namespace

caf::actor spawn_sealer(caf::actor_system& system, std::shared_ptr<NodeContext> context) {
  return spawn_control<Sealer>(system, ControlPlace::sealer, *context, context);
}

}  // namespace quell
