rb_test(prop_catalogue
  SOURCES prop_catalogue.cpp
  LINKS rb_set LABEL property)
