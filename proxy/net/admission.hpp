// How many clients the process has, against listen.max_clients. A client holds its place from accept() to its end.
//
// Beyond the limit a few more are let in only to hear the refusal as PostgreSQL says it (and to cancel a query: that is
// never refused); beyond that margin a connection is closed without a word.
#pragma once
#include <atomic>
#include <cstdint>
#include <utility>

namespace pgtandem::net {

class admission {
 public:
  static constexpr std::uint32_t refusal_margin = 64;  // connections

  explicit admission(std::uint32_t max_clients) : max_(max_clients) {}

  // RAII: one client's place, and its weight on the loop it runs on.
  class place {
   public:
    place() = default;
    place(admission& a, std::atomic<std::uint32_t>& load) : house_(&a), load_(&load) {
      number_ = house_->clients_.fetch_add(1) + 1;
      load_->fetch_add(1);
    }
    place(place&& o) noexcept { *this = std::move(o); }
    place& operator=(place&& o) noexcept {
      std::swap(house_, o.house_);
      std::swap(load_, o.load_);
      std::swap(number_, o.number_);
      return *this;
    }
    ~place() {
      if (!house_) return;
      house_->clients_.fetch_sub(1);
      load_->fetch_sub(1);
    }
    bool beyond_limit() const { return house_ && number_ > house_->max_; }

   private:
    admission* house_ = nullptr;
    std::atomic<std::uint32_t>* load_ = nullptr;
    std::uint32_t number_ = 0;
  };

  bool crowded() const { return clients_ >= max_ + refusal_margin; }
  std::uint32_t clients() const { return clients_; }
  void limit(std::uint32_t max_clients) { max_ = max_clients; }

 private:
  std::atomic<std::uint32_t> clients_{0}, max_;
};

}  // namespace pgtandem::net
