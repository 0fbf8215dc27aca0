#include "proxy/session/setting_names.hpp"

#include "proxy/session/script.hpp"
#include "proxy/sql/custom_settings.hpp"

namespace pgtandem::session {

void setting_names::note(std::string_view name) {
  if (!sql::is_custom_setting(name)) return;  // PostgreSQL lists it
  if (name.size() <= length_max && known.size() < names_max)
    known.insert(lower_case(name));
  else if (name.size() > length_max || !known.contains(lower_case(name)))
    unknown = true;
}

// A parameter that is a name is noted when it is bound; EXECUTE does not show what it binds.
void setting_names::note(const sql::statement& s) {
  for (const std::string& name : s.settings) note(name);
  if (s.kind == sql::statement_kind::set) note(s.name);
  unknown |= s.computed_setting;
  role |= s.changes_role;
  if (!s.inner) return;
  note(*s.inner);
  unknown |= !s.inner->setting_parameters.empty();
}

}  // namespace pgtandem::session
