// What a long piece of the coordinator's work asks of the thread that runs it.
#pragma once
#include <chrono>
#include <functional>
#include <string_view>

namespace pgtandem::control {

struct duty {
  std::function<void(std::string_view step)> note;          // progress, for whoever watches
  std::function<bool()> stopping;                           // the process ends: give up at the next safe point
  std::function<void(std::chrono::milliseconds)> rest;      // a pause that a stop cuts short
};

}  // namespace pgtandem::control
