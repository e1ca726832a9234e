// What a batch brings about beyond its own words, and somebody wants to hear of: erasures, cancels
// by a word or by a requested cancel, jobs that were lost too often. Told in the transaction that
// makes it true, so that neither is ever there without the other. Written once, for every store.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/policy/webhook_outbox.hpp"
#include "storage/batch.hpp"

namespace quell::storage {

inline constexpr std::string_view lost_too_often = "lost_too_often";
// A summary waits so long for more of its call, unless the call says that it is over.
inline constexpr Millis summary_patience{10'000};

// The rows of no job, as the outbox needs them of a store.
class NoticeRows {
 public:
  struct Known {
    bool waits = false;  // not in flight, and not ended
    std::string body;
  };
  virtual ~NoticeRows() = default;
  // Nobody else changes what was found before the commit.
  virtual std::map<Uuid, Known> find(const std::vector<Uuid>& ids) = 0;
  virtual void add(const std::vector<NewDelivery>& notices) = 0;  // a known id is not added again
  virtual void change(Uuid id, const std::string& body, Instant due) = 0;
};

class OutboxRows {
 public:
  struct Erased {
    DeleteId delete_id;
    JobId job;
    JobState was = JobState::queued;
    Verdict verdict = Verdict::not_running;
    std::string project;
  };

  void begin(const Batch& batch);
  bool anyone() const { return listeners_ != nullptr; }  // or a job's own URL
  // Deliveries for a job that has come to rest.
  std::vector<NewDelivery> of_job(const JobMessage& outbox, std::string_view event,
                                  bool has_own_url, Instant at);
  // Messages of no job: a schedule fired, or is gone.
  std::vector<NewDelivery> of_task(const std::string& project, std::string_view event,
                                   const Uuid& task, const std::string& body, Instant at);
  // Jobs of this project are told in the call's summary. The summary's row is the sign of that for
  // later transactions, also of other nodes, which know nothing of how many jobs the call had.
  void in_summary(const MarkOp& call, const std::string& project);
  void erased(Erased job, Instant at);

  void write(NoticeRows& rows);  // behind all that can erase
  void call_over(const CallOp& call, NoticeRows& rows);
  bool has_deliveries() const { return told_; }

 private:
  struct Group {  // what one call lost of one project
    std::vector<Erased> jobs;
    std::size_t unproven = 0;
    Instant at;
    std::string who, reason;
    bool opens = false;  // this batch marks for a summary
  };
  using Key = std::pair<DeleteId, std::string>;
  using Known = NoticeRows::Known;

  Group& group(const DeleteId& call, const std::string& project, Instant at);
  void write_group(const Key& key, const Group& group, const std::map<Uuid, Known>& known,
                   NoticeRows& rows);
  void write_each(const Key& key, const Group& group, const std::vector<std::string>& to);
  std::string summary(const Key& key, const Group& group) const;

  std::shared_ptr<const SubscriptionSet> listeners_;
  Uuid id_;
  int said_ = 0;
  bool told_ = false;
  std::map<Key, Group> groups_;
  std::vector<NewDelivery> new_;
};

}  // namespace quell::storage
