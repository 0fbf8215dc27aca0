#include "config/load.hpp"

#include <algorithm>
#include <set>

#include "config/suggest.hpp"
#include "config/table.hpp"
#include "config/yaml.hpp"

namespace pgtandem::config {
namespace {

constexpr std::string_view file_suffix = "_file";

// "admin.token_file" → the row of admin.token; nullptr if it is no secret's file.
const row* secret_of_file(std::string_view name) {
  if (!name.ends_with(file_suffix)) return nullptr;
  const row* r = find(name.substr(0, name.size() - file_suffix.size()));
  return r && r->secret ? r : nullptr;
}

std::vector<std::string> known_names() {
  std::vector<std::string> names;
  for (const row& r : table()) {
    names.emplace_back(r.name);
    if (r.secret) names.push_back(std::string(r.name) + std::string(file_suffix));
  }
  return names;
}

// One load: collects values and mistakes as it goes through the file, then the environment, then the rules between
// settings.
class loader {
 public:
  explicit loader(const file_reader& read) : read_(read) {}

  void from_file(std::string_view text) {
    yaml_document document = flatten(text);
    for (const yaml_error& error : document.errors) complain(error.line, "", error.text);
    broken_ = document.broken;
    for (const yaml_entry& entry : document.entries) {
      if (!seen_.insert(entry.path).second) {
        complain(entry.line, entry.path, "is given twice");
      } else if (const row* r = find(entry.path)) {
        take_entry(*r, entry);
      } else if (const row* of = secret_of_file(entry.path)) {
        take_secret_file(*of, entry.path, entry.values.empty() ? "" : entry.values.front(), entry.line);
      } else {
        unknown(entry);
      }
    }
  }

  void from_environment(const environment& variables) {
    for (const row& r : table()) {
      std::string name = environment_name(r.name);
      if (auto v = variables.find(name); v != variables.end()) take_text(r, name, v->second, 0);
      if (!r.secret) continue;
      name += "_FILE";
      if (auto v = variables.find(name); v != variables.end()) take_secret_file(r, name, v->second, 0);
    }
  }

  void between_settings() {
    if (broken_) return;  // what is missing cannot be told
    for (std::string_view name : {"source", "target"})
      if (!tried_.contains(std::string(name)))
        complain(0, std::string(name),
                 "is needed (or " + std::string(name) + "_file, or " + environment_name(name) + ")");
    const settings& s = result_.values;
    if (s.auth.scram() && s.auth.file.empty() && s.auth.query.empty())
      complain(line_of("auth.method"), "auth.method", "scram-sha-256 needs auth.file or auth.query");
    if (s.listen.port == s.admin.port && s.listen.address == s.admin.address)
      complain(line_of("admin.port"), "admin.port", "is also listen.port");
    if (s.session.high_water_bytes < s.session.buffer_bytes)
      complain(line_of("session.high_water_bytes"), "session.high_water_bytes",
               "must not be below session.buffer_bytes");
  }

  loaded finish() {
    std::stable_sort(result_.mistakes.begin(), result_.mistakes.end(),
                     [](const mistake& a, const mistake& b) { return a.line < b.line; });
    return std::move(result_);
  }

 private:
  void complain(int line, std::string setting, std::string text) {
    result_.mistakes.push_back({line, std::move(setting), std::move(text)});
  }

  int line_of(const std::string& name) const {
    auto at = lines_.find(name);
    return at == lines_.end() ? 0 : at->second;
  }

  void note(const row& r, int line) {
    tried_.emplace(r.name);
    lines_[std::string(r.name)] = line;
  }

  void take_text(const row& r, const std::string& as, std::string_view text, int line) {
    note(r, line);
    if (std::string wrong = assign(r, result_.values, text); !wrong.empty()) complain(line, as, wrong);
  }

  void take_entry(const row& r, const yaml_entry& entry) {
    bool wants_list = std::holds_alternative<list_member>(r.at);
    if (wants_list && (entry.is_list || entry.values.empty())) {
      note(r, entry.line);
      std::string wrong = assign_list(r, result_.values, entry.values);
      if (!wrong.empty()) complain(entry.line, entry.path, wrong);
    } else if (wants_list) {
      note(r, entry.line);
      complain(entry.line, entry.path, "a list is needed, as in [a, b]");
    } else if (entry.is_list) {
      note(r, entry.line);
      complain(entry.line, entry.path, "one value is needed, not a list");
    } else {
      take_text(r, entry.path, entry.values.empty() ? "" : entry.values.front(), entry.line);
    }
  }

  void take_secret_file(const row& r, const std::string& as, const std::string& path, int line) {
    // Within one source the value and its file contradict each other; the environment overrides the file's either way.
    if (line > 0 && line_of(std::string(r.name)) > 0) complain(line, as, "is given beside " + std::string(r.name));
    note(r, line);
    std::optional<std::string> content = read_(path);
    if (!content) return complain(line, as, "cannot read " + path);
    while (!content->empty() && (content->back() == '\n' || content->back() == '\r')) content->pop_back();
    take_text(r, as, *content, line);
  }

  void unknown(const yaml_entry& entry) {
    for (const row& r : table())
      if (r.name.starts_with(entry.path + ".")) {  // "listen:" with nothing below it, or with a plain value
        if (!entry.values.empty() || entry.is_list)
          complain(entry.line, entry.path, "is a group of settings, not a setting");
        return;
      }
    std::string text = "unknown setting", near = nearest(entry.path, known_names());
    if (!near.empty()) text += "; did you mean " + near + "?";
    complain(entry.line, entry.path, text);
  }

  const file_reader& read_;
  loaded result_;
  bool broken_ = false;
  std::set<std::string> seen_;        // paths met in the file
  std::set<std::string> tried_;       // settings given anywhere, rightly or wrongly
  std::map<std::string, int> lines_;  // where a setting was given; 0 = environment
};

}  // namespace

loaded load(std::string_view text, const environment& variables, const file_reader& read) {
  loader one(read);
  one.from_file(text);
  one.from_environment(variables);
  one.between_settings();
  return one.finish();
}

std::string describe(const std::vector<mistake>& mistakes, std::string_view file_name) {
  std::string all;
  for (const mistake& m : mistakes) {
    all += file_name;
    if (m.line > 0) all += ":" + std::to_string(m.line);
    all += ": ";
    if (!m.setting.empty()) all += m.setting + ": ";
    all += m.text + "\n";
  }
  return all;
}

}  // namespace pgtandem::config
