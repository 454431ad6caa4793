# rb_warnings and rb_options: what every target of ours is compiled with.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # What ccache's manual asks for with precompiled headers: that macros such as __TIME__ in them, and
  # definitions that they don't use, are left out of account. Ours have none.
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_SLOPPINESS=pch_defines,time_macros "${CCACHE_PROGRAM}")
endif()

add_library(rb_warnings INTERFACE)
target_compile_options(rb_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
  -Wold-style-cast -Wcast-align -Wnon-virtual-dtor -Woverloaded-virtual
  -Wdouble-promotion -Wformat=2 -Wswitch-enum -Wundef
  $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wlogical-op>
  $<$<BOOL:${RB_WERROR}>:-Werror>)

add_library(rb_options INTERFACE)
target_compile_definitions(rb_options INTERFACE RB_VERSION="${PROJECT_VERSION}")
target_compile_options(rb_options INTERFACE -fstack-protector-strong -fno-omit-frame-pointer)
if(RB_SANITIZE)
  target_compile_options(rb_options INTERFACE -fsanitize=${RB_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(rb_options INTERFACE -fsanitize=${RB_SANITIZE})
  # With its checks in the code g++ takes what is never read for uninitialised (gcc's manual, -fsanitize=address): a
  # warning there, and an error in every other build.
  target_compile_options(rb_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-error=maybe-uninitialized>)
else()
  target_compile_definitions(rb_options INTERFACE
    $<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2> _GLIBCXX_ASSERTIONS)
endif()
if(RB_FUZZ)
  target_compile_options(rb_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(RB_COVERAGE)
  target_compile_options(rb_options INTERFACE --coverage)
  target_link_options(rb_options INTERFACE --coverage)
endif()
target_link_options(rb_options INTERFACE -Wl,-z,relro -Wl,-z,now)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# The precompiled header, for each of the two ways in which code is made independent of its position, and for
# the tests, which have flags of their own.
# g++ tells ccache what it read only with -fpch-preprocess. The standard library's own code is no
# system header's any more when it comes out of a precompiled one: what g++ 12 falsely finds in it
# (GCC bug 105651 and its like) is a warning then, and no error.
if(RB_PRECOMPILE)
  add_library(rb_precompiled_room OBJECT "${PROJECT_SOURCE_DIR}/cmake/precompiled.cpp")
  add_executable(rb_precompiled_program EXCLUDE_FROM_ALL "${PROJECT_SOURCE_DIR}/cmake/precompiled.cpp")
  target_compile_options(rb_options INTERFACE
    $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess -Wno-error=array-bounds -Wno-error=restrict
      -Wno-error=stringop-overflow -Wno-error=stringop-overread>)
  set(kinds room program)
  if(RB_TEST_FLAGS)
    list(APPEND kinds test)
    add_executable(rb_precompiled_test EXCLUDE_FROM_ALL "${PROJECT_SOURCE_DIR}/cmake/precompiled.cpp")
    target_compile_options(rb_precompiled_test PRIVATE ${RB_TEST_FLAGS})
  endif()
  foreach(kind ${kinds})
    target_link_libraries(rb_precompiled_${kind} PRIVATE rb_warnings rb_options)
    target_precompile_headers(rb_precompiled_${kind} PRIVATE "${PROJECT_SOURCE_DIR}/cmake/precompiled.hpp")
  endforeach()
endif()

# rb_precompile(TARGET room|program|test): the target is compiled with the precompiled header.
function(rb_precompile target kind)
  if(RB_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM rb_precompiled_${kind})
  endif()
endfunction()

# rb_compile_as_test(TARGET): its files are compiled with RB_TEST_FLAGS, and the precompiled header of these.
function(rb_compile_as_test target)
  if(RB_TEST_FLAGS)
    target_compile_options(${target} PRIVATE ${RB_TEST_FLAGS})
    rb_precompile(${target} test)
  else()
    rb_precompile(${target} program)
  endif()
endfunction()

# rb_room(NAME [SOURCES...|EXCEPT files...] LINKS targets... PRIVATE_LINKS targets...): a folder is a room.
# All its sources but main.cpp are the library rb_NAME; it is included by its path below lib/ or hostagent/.
function(rb_room name)
  cmake_parse_arguments(ARG "" "" "SOURCES;EXCEPT;LINKS;PRIVATE_LINKS" ${ARGN})
  if(NOT ARG_SOURCES)
    file(GLOB ARG_SOURCES RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}" CONFIGURE_DEPENDS *.cpp)
    list(REMOVE_ITEM ARG_SOURCES main.cpp ${ARG_EXCEPT})
  endif()
  add_library(rb_${name} STATIC ${ARG_SOURCES})
  target_include_directories(rb_${name} PUBLIC
    "${PROJECT_SOURCE_DIR}/lib" "${PROJECT_SOURCE_DIR}/hostagent" "${PROJECT_SOURCE_DIR}")
  target_link_libraries(rb_${name} PUBLIC rb_options ${ARG_LINKS} PRIVATE rb_warnings ${ARG_PRIVATE_LINKS})
  rb_precompile(rb_${name} room)
endfunction()

# rb_program(NAME SOURCES... LINKS...): an executable.
function(rb_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE rb_warnings rb_options ${ARG_LINKS})
  # The bundle's own loader, and its libraries beside it; by their path in the image, too, since the loader finds
  # $ORIGIN only where /proc is. DT_RPATH also serves the libraries of the libraries.
  if(RB_BUNDLE_HOME)
    target_link_options(${name} PRIVATE
      "LINKER:--dynamic-linker=${RB_BUNDLE_HOME}/lib/ld.so" "LINKER:--disable-new-dtags,-rpath,$ORIGIN/../lib:${RB_BUNDLE_HOME}/lib")
  endif()
  rb_precompile(${name} program)
endfunction()

# rb_test(NAME [SOURCES...|EXCEPT files...] LINKS... LABEL kind): a doctest binary registered with CTest, of
# all sources of the folder where none are named.
function(rb_test name)
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "SOURCES;EXCEPT;LINKS" ${ARGN})
  if(NOT ARG_SOURCES)
    file(GLOB ARG_SOURCES RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}" CONFIGURE_DEPENDS *.cpp)
    if(ARG_EXCEPT)
      list(REMOVE_ITEM ARG_SOURCES ${ARG_EXCEPT})
    endif()
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_compile_definitions(${name} PRIVATE RB_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  # The standard library first: g++ 14 leaves functions of its templates to it, and any object of an archive before
  # it that has a copy of one would be linked, with all that this object needs.
  target_link_libraries(${name} PRIVATE rb_warnings rb_options stdc++ rb_doctest_main rb_test_support ${ARG_LINKS})
  rb_compile_as_test(${name})
  add_test(NAME ${name} COMMAND ${name} --no-intro)
  if(NOT ARG_LABEL)
    set(ARG_LABEL unit)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT})
endfunction()

# rb_fuzz(NAME SOURCE LINKS...): tests/fuzz/NAME.cpp as a libFuzzer target (RB_FUZZ) or as a
# replay of its corpus that CTest runs.
function(rb_fuzz name)
  cmake_parse_arguments(ARG "" "" "LINKS" ${ARGN})
  if(RB_FUZZ)
    add_executable(${name} "${PROJECT_SOURCE_DIR}/tests/fuzz/${name}.cpp")
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  else()
    if(NOT TARGET rb_fuzz_replay)
      add_library(rb_fuzz_replay OBJECT "${PROJECT_SOURCE_DIR}/tests/fuzz/replay_main.cpp")
      target_link_libraries(rb_fuzz_replay PRIVATE rb_warnings rb_options)
      rb_precompile(rb_fuzz_replay room)
    endif()
    add_executable(${name} "${PROJECT_SOURCE_DIR}/tests/fuzz/${name}.cpp")
    target_link_libraries(${name} PRIVATE rb_fuzz_replay)
    add_test(NAME ${name}_replay COMMAND ${name} "${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name}")
    set_tests_properties(${name}_replay PROPERTIES LABELS fuzz TIMEOUT 120)
  endif()
  target_link_libraries(${name} PRIVATE rb_warnings rb_options ${ARG_LINKS})
  rb_compile_as_test(${name})
endfunction()
