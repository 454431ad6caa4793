rb_test(prop_age
  SOURCES prop_age.cpp
  LINKS rb_age LABEL property TIMEOUT 300)
