rb_test(prop_controller_plan
  SOURCES ${PROJECT_SOURCE_DIR}/tests/property/prop_controller_plan.cpp ${PROJECT_SOURCE_DIR}/tests/unit/controller/world.cpp
  LINKS rb_controller LABEL property)
rb_test(prop_observe_current
  SOURCES ${PROJECT_SOURCE_DIR}/tests/property/prop_observe_current.cpp
  LINKS rb_controller LABEL property)
