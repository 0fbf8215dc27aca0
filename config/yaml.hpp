// The one door to yaml-cpp: a document flattened to dotted paths with their lines. Pure.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace pgtandem::config {

struct yaml_entry {
  std::string path;  // "listen.port"
  int line = 0;      // from 1
  bool is_list = false;
  std::vector<std::string> values;  // one for a scalar, none for an empty one
};

struct yaml_error {
  int line = 0;
  std::string text;
};

struct yaml_document {
  std::vector<yaml_entry> entries;  // in the file's order, duplicates kept
  std::vector<yaml_error> errors;   // not of a shape that settings have
  bool broken = false;              // not YAML at all: there are no entries, and one error
};

yaml_document flatten(std::string_view text);

}  // namespace pgtandem::config
