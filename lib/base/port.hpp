// What every interface is that a test replaces.
#pragma once

namespace rb {

/// Used through a reference, and destroyed through it; neither copied nor moved.
class Port {
public:
  virtual ~Port() = default;
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  Port(Port&&) = delete;
  Port& operator=(Port&&) = delete;

protected:
  Port() = default;
};

} // namespace rb
