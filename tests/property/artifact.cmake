rb_test(prop_retention
  SOURCES prop_retention.cpp
  LINKS rb_artifact LABEL property)
rb_test(fault_store
  SOURCES fault_store.cpp ../support/fault_disk.cpp ../support/sets.cpp
  LINKS rb_artifact LABEL fault)
