#include "actors/effects/io_thread.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>

namespace quell {

struct IoThread::Core {
  boost::asio::io_context context{1};
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work{
      boost::asio::make_work_guard(context)};
};

IoThread::IoThread() : core_(std::make_unique<Core>()), thread_([this] { core_->context.run(); }) {}

IoThread::~IoThread() {
  stop();
}

boost::asio::io_context& IoThread::context() {
  return core_->context;
}

void IoThread::stop() {
  if (!thread_.joinable()) return;
  core_->work.reset();
  core_->context.stop();
  thread_.join();
}

}  // namespace quell
