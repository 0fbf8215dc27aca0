// The JSON of the admin port's answers. Pure.
#pragma once
#include <vector>

#include <boost/json/value.hpp>

#include "proxy/control/control_thread.hpp"
#include "proxy/control/inspect.hpp"

namespace pgtandem::admin {

boost::json::value status_json(const control::control_status& s);
boost::json::value phase_json(const control::control_status& s);
boost::json::value sessions_json(const std::vector<control::session_view>& all);
boost::json::value gates_json(const std::vector<control::gate_result>& all);
boost::json::value intent_json(const control::intent_report& r);

}  // namespace pgtandem::admin
