#include "status/serve/server.hpp"

#include "status/serve/loop.hpp"

#include <sys/eventfd.h>

#include <cerrno>
#include <system_error>
#include <thread>

namespace rb::status {

struct Server::Impl {
  int port = 0;
  Loop loop;
  std::thread thread;

  Impl(Listener listener, Fd wake, Endpoints endpoints, const Limits& limits)
      : port(listener.port),
        loop(std::move(listener), std::move(wake), std::move(endpoints), limits),
        thread([this] { loop.run(); }) {}
};

Server::Server(std::unique_ptr<Impl> impl) : m_impl(std::move(impl)) {}

Server::~Server() {
  stop();
}

Result<std::unique_ptr<Server>>
Server::start(const std::string& listen, Endpoints endpoints, Limits limits) {
  RB_TRY_ASSIGN(Listener listener, listen_on(listen));
  Fd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.valid()) {
    return system_error(errno, "eventfd");
  }
  try {
    return std::unique_ptr<Server>(new Server(std::make_unique<Impl>(
        std::move(listener), std::move(wake), std::move(endpoints), limits)));
  } catch (const std::system_error& failed) {
    return system_error(failed.code().value(), listen + ": no thread can be started");
  }
}

int Server::port() const {
  return m_impl->port;
}

void Server::stop() {
  if (m_impl->thread.joinable()) {
    m_impl->loop.stop();
    m_impl->thread.join();
  }
}

} // namespace rb::status
