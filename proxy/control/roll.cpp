#include "proxy/control/roll.hpp"

#include <algorithm>
#include <array>

namespace pgtandem::control {
namespace {

using facts = roll_facts;

std::int32_t epoch_of(const facts& f) { return f.primary->epoch; }

bool older_open(const facts& f) { return !f.epochs.empty() && *f.epochs.begin() < epoch_of(f); }
bool older_attached(const facts& f) { return !f.ledgers.empty() && *f.ledgers.begin() < epoch_of(f); }

// The secondary stands where an `advance` has left it.
bool told_late(const facts& f) {
  return f.secondary->epoch == epoch_of(f) - 1 && f.secondary->now == f.primary->now && f.secondary->at == step::steady &&
         f.epochs.contains(epoch_of(f)) && f.ledgers.contains(epoch_of(f));
}

// Anything else is a flip's, a phase change's, or to be mended first.
bool ours(const facts& f) {
  if (!f.primary || !f.secondary || f.primary->at != step::steady || !row_of(f.primary->now).mirrors) return false;
  if (!f.epochs.contains(epoch_of(f)) || !f.ledgers.contains(epoch_of(f)) || *f.epochs.rbegin() > epoch_of(f)) return false;
  return told_late(f) ||
         (f.secondary->epoch == epoch_of(f) && f.secondary->now == f.primary->now && f.secondary->at == step::steady);
}

struct rule {
  roll_act act;
  bool (*holds)(const facts& f);
};

// The first that holds.
constexpr std::array<rule, 7> rules{{
    {roll_act::none, [](const facts& f) { return !ours(f); }},
    {roll_act::tell, told_late},
    {roll_act::wait, [](const facts& f) { return older_open(f) && !f.moved; }},
    {roll_act::drop, older_open},
    {roll_act::detach, older_attached},
    {roll_act::advance, [](const facts& f) { return f.ledgers.contains(epoch_of(f) + 1); }},
    {roll_act::attach, [](const facts& f) { return f.due; }},
}};

}  // namespace

std::string_view name_of(roll_act a) {
  constexpr std::string_view names[] = {"none", "attach", "advance", "tell", "wait", "drop", "detach"};
  return names[static_cast<std::size_t>(a)];
}

roll_act next_roll(const roll_facts& f) {
  const auto found = std::find_if(rules.begin(), rules.end(), [&](const rule& r) { return r.holds(f); });
  return found == rules.end() ? roll_act::none : found->act;
}

}  // namespace pgtandem::control
