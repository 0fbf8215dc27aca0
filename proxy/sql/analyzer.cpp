#include "proxy/sql/analysis.hpp"

namespace pgtandem::sql {

analyzer::analyzer(std::size_t max_entries, std::size_t max_text) : max_entries_(max_entries), max_text_(max_text) {}

analysis_ptr analyzer::operator()(std::string_view sql, bool standard_strings) {
  if (!standard_strings && sql.find('\\') != std::string_view::npos) {
    ++misses_;
    return analyze(sql, false);
  }
  if (auto found = index_.find(sql); found != index_.end()) {
    ++hits_;
    order_.splice(order_.begin(), order_, found->second);
    return found->second->value;
  }
  ++misses_;
  analysis_ptr value = analyze(sql);
  if (max_entries_ == 0 || sql.size() > max_text_) return value;
  if (order_.size() >= max_entries_) {
    index_.erase(order_.back().text);
    order_.pop_back();
  }
  order_.push_front({std::string(sql), value});
  index_.emplace(order_.front().text, order_.begin());
  return value;
}

}  // namespace pgtandem::sql
