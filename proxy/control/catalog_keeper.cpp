#include "proxy/control/catalog_keeper.hpp"

#include "proxy/database/catalog_loader.hpp"
#include "proxy/telemetry/log.hpp"

namespace pgtandem::control {

bool catalog_keeper::due() const {
  board_state b = board_.look();
  const place_state& here = b.of(where_);
  if (!here.reachable) return false;
  if (!here.catalog || asked_) return true;
  // Before and after `init` the catalogs differ: the later one knows the sequence.
  if (here.installed != (here.catalog->ddl_version_sequence != 0)) return true;
  return here.installed && here.catalog->ddl_version != here.ddl_version;
}

bool catalog_keeper::load() {
  if (!c_ || c_->lost()) {
    database::open_options o;
    o.application_name = "pgtandem catalog";
    o.connect_timeout = std::chrono::milliseconds(2000);
    o.statement_limit = load_limit;
    auto c = database::connection::open(settings_.conninfo(where_), o);
    if (!c) return false;
    c_.emplace(std::move(*c));
  }
  used_ = clock::now();
  bool asked = asked_.exchange(false);
  auto loaded = database::load_catalog(*c_, {settings_.exclude, settings_.allowed_functions});
  if (!loaded) {
    if (asked) asked_ = true;
    telemetry::log::warning("catalog not loaded", {{"place", name_of(where_)}, {"sqlstate", loaded.error().sqlstate}, {"message", loaded.error().message}});
    return false;
  }
  meter_.add(telemetry::metric::catalog_loads, 1, name_of(where_));
  board_.update([&](board_state& b) {
    place_state& here = b.of(where_);
    here.catalog = *loaded;
    here.ddl_version = std::max(here.ddl_version, (*loaded)->ddl_version);
    return true;
  });
  return true;
}

void catalog_keeper::run() {
  while (!worker_.stopping()) {
    if (due()) {
      worker_.rest(load() ? apart : again);
      continue;
    }
    if (c_ && clock::now() - used_ > keep_connection) c_.reset();
    worker_.rest(look_every);
  }
}

}  // namespace pgtandem::control
