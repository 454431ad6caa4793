rb_test(prop_retention
  SOURCES prop_retention.cpp
  LINKS rb_set LABEL property)
rb_test(fault_store
  SOURCES fault_store.cpp
  LINKS rb_set LABEL fault)
rb_test(fault_rewrap
  SOURCES fault_rewrap.cpp
  LINKS rb_set LABEL fault)
add_test(NAME fault_store_long COMMAND fault_store --no-intro)
set_tests_properties(fault_store_long PROPERTIES
  LABELS fault_long TIMEOUT 900 ENVIRONMENT RB_FAULT=long)
