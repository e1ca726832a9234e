#include "actors/effects/io_thread.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>
#include <utility>

#include "actors/fatal.hpp"

namespace quell {

struct IoThread::Core {
  boost::asio::io_context context{1};
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work{
      boost::asio::make_work_guard(context)};
};

IoThread::IoThread(std::shared_ptr<FatalHandler> fatal)
    : fatal_(std::move(fatal)), core_(std::make_unique<Core>()), thread_([this] { run(); }) {}

void IoThread::run() {
  do {
    try {
      run_loop(core_->context, Failpoint::control_sockets);
    } catch (...) {
      fatal_->threw(name_of(ControlPlace::sockets), {}, std::current_exception());
    }
  } while (!core_->context.stopped());
}

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
