#include "config/yaml.hpp"

#include <yaml-cpp/yaml.h>

namespace pgtandem::config {
namespace {

constexpr int depth_max = 8;                    // settings nest two deep; beyond this it is not a configuration
constexpr std::size_t document_max = 4u << 20;  // bytes

int line_of(const YAML::Node& node) { return node.Mark().line + 1; }

void walk(const YAML::Node& node, const std::string& path, int line, int depth, yaml_document& out) {
  if (depth > depth_max) {
    out.errors.push_back({line, path + ": nested too deeply"});
  } else if (node.IsMap()) {
    for (const auto& pair : node) {
      if (!pair.first.IsScalar()) {
        out.errors.push_back({line_of(pair.first), "a name is needed here"});
        continue;
      }
      std::string name = pair.first.Scalar();
      walk(pair.second, path.empty() ? name : path + "." + name, line_of(pair.first), depth + 1, out);
    }
  } else if (path.empty()) {
    if (!node.IsNull()) out.errors.push_back({line, "names and values are needed, as in `listen: {port: 6432}`"});
  } else {
    yaml_entry entry{path, line, node.IsSequence(), {}};
    if (node.IsScalar()) entry.values.push_back(node.Scalar());
    if (node.IsSequence())
      for (const auto& item : node) {
        if (!item.IsScalar()) {
          out.errors.push_back({line_of(item), path + ": its entries must be plain values"});
          return;
        }
        entry.values.push_back(item.Scalar());
      }
    out.entries.push_back(std::move(entry));
  }
}

}  // namespace

yaml_document flatten(std::string_view text) {
  yaml_document out;
  if (text.size() > document_max) return {{}, {{1, "the file is larger than 4 MiB"}}, true};
  try {
    walk(YAML::Load(std::string(text)), "", 1, 0, out);
  } catch (const YAML::Exception& e) {  // the library reports by exceptions; here they become a value
    return {{}, {{e.mark.is_null() ? 1 : e.mark.line + 1, e.msg}}, true};
  }
  return out;
}

}  // namespace pgtandem::config
