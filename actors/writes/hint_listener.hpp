// Hears what other processes wrote, as soon as the store says so, on a thread of its own. Hints may
// be lost or not be had at all: who is told by one only looks earlier than it would have anyway.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "storage/store.hpp"

namespace quell {

class FatalHandler;

class HintListener {
 public:
  using Hear = std::function<void(std::vector<std::string> names)>;

  // `hints` may be null: then nothing is ever heard.
  HintListener(std::unique_ptr<storage::Hints> hints, Hear hear,
               std::shared_ptr<FatalHandler> fatal);
  ~HintListener();

 private:
  void listen();
  void listen_once();

  std::unique_ptr<storage::Hints> hints_;
  Hear hear_;
  std::shared_ptr<FatalHandler> fatal_;  // of what listening throws
  std::atomic<bool> stopping_{false};
  bool was_away_ = false;  // what was said meanwhile nobody here has heard
  std::thread thread_;
};

}  // namespace quell
