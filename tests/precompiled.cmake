# Two sets of precompiled headers for the builds that only tests need: the standard library's for every target, and Catch with
# them for the programs below tests/unit. They take a third off a sanitizer's build. Presets that users build do without, so
# that a forgotten include is noticed there.
set(standard_headers <algorithm> <array> <atomic> <chrono> <cstdint> <functional> <map> <memory> <mutex> <optional> <set>
  <string> <string_view> <thread> <utility> <vector>)

target_compile_options(pgtandem_options INTERFACE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fpch-preprocess>)  # for ccache

# add_precompiled(name header…): what others reuse needs a source file of its own, be it empty.
function(add_precompiled name)
  file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/${name}.cpp CONTENT "")
  add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/${name}.cpp)
  target_link_libraries(${name} PRIVATE pgtandem_options)
  target_precompile_headers(${name} PRIVATE ${ARGN})
endfunction()

# reuse(precompiled folder): all programs and libraries of the folder and below, unless they have some already.
function(reuse precompiled folder)
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target ${targets})
    get_target_property(type ${target} TYPE)
    get_target_property(has ${target} PRECOMPILE_HEADERS_REUSE_FROM)
    if(NOT has AND type MATCHES "EXECUTABLE|STATIC_LIBRARY")
      target_precompile_headers(${target} REUSE_FROM ${precompiled})
    endif()
  endforeach()
  get_property(below DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(one ${below})
    reuse(${precompiled} ${one})
  endforeach()
endfunction()

add_precompiled(precompiled_for_tests ${standard_headers} <catch2/catch.hpp>)
get_property(unit_tests DIRECTORY tests PROPERTY SUBDIRECTORIES)
list(FILTER unit_tests INCLUDE REGEX "/unit/")
foreach(folder ${unit_tests})
  reuse(precompiled_for_tests ${folder})
endforeach()
add_precompiled(precompiled ${standard_headers})
foreach(folder protocol config proxy reconcile tests)
  reuse(precompiled ${folder})
endforeach()
