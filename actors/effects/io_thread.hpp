// The one thread that drives every socket and pipe of a node's jobs.
#pragma once

#include <memory>
#include <thread>

namespace boost::asio {
class io_context;
}

namespace quell {

class FatalHandler;

class IoThread {
 public:
  explicit IoThread(std::shared_ptr<FatalHandler> fatal);
  ~IoThread();  // runs what is posted already, then ends
  boost::asio::io_context& context();
  void stop();

 private:
  struct Core;
  void run();

  std::shared_ptr<FatalHandler> fatal_;  // of what a handler throws
  std::unique_ptr<Core> core_;
  std::thread thread_;
};

}  // namespace quell
