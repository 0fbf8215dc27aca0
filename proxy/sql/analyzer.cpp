#include <algorithm>

#include "proxy/sql/analysis.hpp"

namespace pgtandem::sql {
namespace {

constexpr char mark_verbatim = 6;  // before a key that is the text itself: no shape begins with it

bool worth_keeping(const analysis& a) {
  return !a.parse_error && !a.too_deep && std::ranges::none_of(a.statements, &statement::by_value);
}

// The ranges of a text with the cuts `to`, from those of a text of the same shape with the cuts `from`.
std::vector<text_range> moved(const std::vector<text_range>& ranges, const std::vector<shape::cut>& from,
                              const std::vector<shape::cut>& to) {
  shape_map into(from), out_of(to);
  std::vector<text_range> result;
  result.reserve(ranges.size());
  for (const text_range& r : ranges) {
    const std::size_t begin = out_of.in_text(into.in_shape(r.begin));
    result.push_back({begin, out_of.in_text(into.in_shape(r.end))});
  }
  return result;
}

}  // namespace

analyzer::analyzer(std::size_t max_entries, std::size_t max_text) : max_entries_(max_entries), max_text_(max_text) {}

analysis_ptr analyzer::operator()(std::string_view sql, bool standard_strings) {
  const bool keeps = max_entries_ != 0 && sql.size() <= max_text_;
  if (!keeps || (!standard_strings && sql.find('\\') != std::string_view::npos)) {
    ++misses_;
    return analyze(sql, standard_strings);
  }
  if (!find_shape(sql, shape_)) {
    shape_.cuts.clear();
    shape_.text = mark_verbatim;
    shape_.text += sql;
  }
  const auto found = index_.find(shape_.text);
  if (found == index_.end()) return learn(sql);
  ++hits_;
  order_.splice(order_.begin(), order_, found->second);
  return known(*found->second);
}

analysis_ptr analyzer::known(entry& e) const {
  if (e.cuts == shape_.cuts) return e.value;
  auto a = std::make_shared<analysis>();
  a->found = e.value->found;
  a->statements = *a->found;
  a->ranges = moved(e.value->ranges, e.cuts, shape_.cuts);
  return a;
}

analysis_ptr analyzer::learn(std::string_view sql) {
  ++misses_;
  analysis_ptr value = analyze(sql);
  if (!worth_keeping(*value)) return value;
  if (order_.size() >= max_entries_) {
    index_.erase(order_.back().key);
    order_.pop_back();
  }
  order_.push_front({shape_.text, shape_.cuts, value});
  index_.emplace(order_.front().key, order_.begin());
  return value;
}

}  // namespace pgtandem::sql
