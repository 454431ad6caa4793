rb_test(prop_catalogue
  SOURCES prop_catalogue.cpp ../support/fault_disk.cpp ../support/sets.cpp
  LINKS rb_artifact LABEL property)
