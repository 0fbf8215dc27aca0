#include "reconcile/hot_keys.hpp"

#include <algorithm>

namespace pgtandem::reconcile {
namespace {

constexpr std::size_t entries_max = 8192;
constexpr int changes_before_lock = 3;
constexpr int always_in_company = 4, company_every = 8;  // failures
constexpr std::chrono::milliseconds first_rest{50}, longest_rest{5000};

}  // namespace

hot_keys::entry& hot_keys::at(const std::string& relation, const cells& key) {
  if (entries_.size() >= entries_max) entries_.clear();
  return entries_[{relation, key}];
}

const hot_keys::entry* hot_keys::find(const std::string& relation, const cells& key) const {
  const auto found = entries_.find({relation, key});
  return found == entries_.end() ? nullptr : &found->second;
}

bool hot_keys::locked_next(const std::string& relation, const cells& key) const {
  const entry* e = find(relation, key);
  return e && e->changes >= changes_before_lock;
}

bool hot_keys::resting(const std::string& relation, const cells& key, clock::time_point now) const {
  const entry* e = find(relation, key);
  return e && now < e->rest_until;
}

bool hot_keys::failed_before(const std::string& relation, const cells& key) const {
  const entry* e = find(relation, key);
  return e && e->failures > 0;
}

bool hot_keys::company_next(const std::string& relation, const cells& key) const {
  const entry* e = find(relation, key);
  return e && e->failures > 0 && (e->failures <= always_in_company || e->failures % company_every == 0);
}

void hot_keys::changed(const std::string& relation, const cells& key) { ++at(relation, key).changes; }

int hot_keys::failed(const std::string& relation, const cells& key, fault what, clock::time_point now) {
  entry& e = at(relation, key);
  ++(what == fault::of_the_key ? e.failures : e.troubles);
  const int times = e.failures + e.troubles;
  const auto rest = first_rest * (1 << std::min(times - 1, 10));
  e.rest_until = now + std::min<std::chrono::milliseconds>(rest, longest_rest);
  return times;
}

void hot_keys::came_through(const std::string& relation, const cells& key) { entries_.erase({relation, key}); }

}  // namespace pgtandem::reconcile
