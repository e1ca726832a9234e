// Queues and pools as people set them: remembered in the store, read at start, asked at each
// submit.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "actors/node/node.hpp"
#include "runtime/policy/queue_policy.hpp"

namespace quell {

class Steering {
 public:
  explicit Steering(const NodeSettings& settings);
  Result<void> load(storage::Reader& reader);  // what is stored wins over the flags
  // What another node stored since. What this node has written itself, or read before, is nothing
  // new.
  struct Changes {
    std::vector<QueueView> queues;
    std::map<std::string, int> pools;
  };
  Changes adopt(const std::vector<storage::Doc>& queues, const std::vector<storage::Doc>& pools);
  void wrote(const storage::DocOp& doc, std::int64_t version);

  std::vector<QueueView> queues() const;
  bool closed(const std::string& queue) const;
  QueueView change(const std::string& name, std::optional<bool> paused, std::optional<bool> closed);
  QueueView limit(const std::string& name, const QueueLimits& limits);
  QueueView limited(const std::string& name, const QueueLimits& limits) const;  // as it would be
  int weight(const std::string& queue) const;
  const std::map<std::string, int>& pools() const { return pools_; }  // after load

  static storage::DocOp queue_doc(const QueueView& queue);
  static storage::DocOp pool_doc(const std::string& name, int capacity);

 private:
  struct Queue {
    QueueView view;
    int weight = 1;
  };
  Queue& known(const std::string& name);
  bool is_unheard(const storage::Doc& doc);

  mutable std::mutex mutex_;
  std::map<std::string, Queue> queues_;
  std::map<std::string, int> pools_;
  std::map<std::string, std::int64_t> versions_;  // of the documents, by kind and id
};

}  // namespace quell
