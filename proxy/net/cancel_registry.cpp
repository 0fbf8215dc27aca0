#include "proxy/net/cancel_registry.hpp"

#include <random>
#include <utility>

namespace pgtandem::net {
namespace {

constexpr std::uint32_t pid_max = 0x7fffffff;  // clients read it as a signed number

std::uint32_t random_number() {
  static thread_local std::random_device source;  // the kernel's: a secret must not be guessed from others
  return source();
}

}  // namespace

cancel_registry::cancel_registry() : next_pid_(random_number() % pid_max) {}

cancel_key cancel_registry::add() {
  const std::uint32_t secret = random_number();
  const std::lock_guard lock(mutex_);
  for (;;) {  // ends: there are far fewer sessions than numbers
    next_pid_ = next_pid_ >= pid_max ? 1 : next_pid_ + 1;
    if (entries_.try_emplace(next_pid_, entry{secret, std::nullopt, {}}).second) return {next_pid_, secret};
  }
}

void cancel_registry::point(std::uint32_t pid, cancel_target target) {
  const std::lock_guard lock(mutex_);
  if (const auto it = entries_.find(pid); it != entries_.end()) it->second.target = std::move(target);
}

void cancel_registry::hear(std::uint32_t pid, cancel_hook session) {
  const std::lock_guard lock(mutex_);
  if (const auto it = entries_.find(pid); it != entries_.end()) it->second.session = std::move(session);
}

void cancel_registry::remove(std::uint32_t pid) {
  const std::lock_guard lock(mutex_);
  entries_.erase(pid);
}

std::optional<cancel_target> cancel_registry::find(cancel_key key) const {
  const std::lock_guard lock(mutex_);
  const auto it = entries_.find(key.pid);
  if (it == entries_.end() || it->second.secret != key.secret) return std::nullopt;
  return it->second.target;
}

cancel_hook cancel_registry::session_of(cancel_key key) const {
  const std::lock_guard lock(mutex_);
  const auto it = entries_.find(key.pid);
  if (it == entries_.end() || it->second.secret != key.secret) return {};
  return it->second.session;
}

registered_key& registered_key::operator=(registered_key&& o) noexcept {
  std::swap(registry_, o.registry_);
  std::swap(key_, o.key_);
  return *this;
}

registered_key::~registered_key() {
  if (registry_) registry_->remove(key_.pid);
}

void registered_key::point(const server_link& to) {
  if (registry_) registry_->point(key_.pid, {to.endpoint, to.hello.pid, to.hello.secret});
}

void registered_key::hear(cancel_hook session) {
  if (registry_) registry_->hear(key_.pid, std::move(session));
}

}  // namespace pgtandem::net
