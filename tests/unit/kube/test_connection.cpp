#include "fakes.hpp"
#include "temp_dir.hpp"

#include "kube/connection.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::kube;
using namespace rb::kube::test;
using namespace std::chrono_literals;

namespace {

FileOrBytes file(const std::string& path) {
  FileOrBytes source;
  source.path = path;
  return source;
}

Result<Response> send(Transport& transport) {
  return transport.send(Request{}, {});
}

struct Setup {
  TempDir dir;
  FakeClock clock;
  FakeTransport inner;
  std::string path = dir.write("token", " first\n");
  AuthorizingTransport transport{inner, clock, file(path)};

  Setup() {
    inner.otherwise = [](const Request&) -> Result<Response> { return Response{200, 0s, "{}"}; };
  }
};

} // namespace

TEST_CASE("the token of the file goes with each request") {
  Setup setup;
  REQUIRE(send(setup.transport));
  CHECK(setup.inner.token(0) == "first");
}

TEST_CASE("the file is read again after a minute and not before") {
  Setup setup;
  REQUIRE(send(setup.transport));
  setup.dir.write("token", "second");
  setup.clock.advance(59s);
  REQUIRE(send(setup.transport));
  CHECK(setup.inner.token(1) == "first");
  setup.clock.advance(1s);
  REQUIRE(send(setup.transport));
  CHECK(setup.inner.token(2) == "second");
}

TEST_CASE("a 401 reads the file at once, and asks again when there is something new") {
  Setup setup;
  REQUIRE(send(setup.transport));
  setup.dir.write("token", "second");
  setup.inner.answer(401, "");
  CHECK(send(setup.transport).value().status == 200);
  CHECK(setup.inner.token(1) == "first");
  CHECK(setup.inner.token(2) == "second");
}

TEST_CASE("a 401 with the same token in the file is the answer") {
  Setup setup;
  setup.inner.answer(401, "");
  CHECK(send(setup.transport).value().status == 401);
  CHECK(setup.inner.count() == 1);
}

TEST_CASE("a watch that is answered 401 is opened again with the new token") {
  Setup setup;
  REQUIRE(send(setup.transport));
  setup.dir.write("token", "second");
  setup.inner.answer_stream(
      [](const Request&, const ByteSink&, const std::stop_token&) -> Result<StreamEnd> {
        return StreamEnd{401, 0s, "", false};
      });
  setup.inner.answer_stream(
      [](const Request&, const ByteSink&, const std::stop_token&) -> Result<StreamEnd> {
        return StreamEnd{200, 0s, "", false};
      });
  CHECK(
      setup.transport.stream(Request{}, [](std::string_view) { return true; }, {}).value().status ==
      200);
  CHECK(setup.inner.token(2) == "second");
}

TEST_CASE("a file that is gone for a while does no harm to the token that is known") {
  Setup setup;
  REQUIRE(send(setup.transport));
  std::filesystem::remove(setup.path);
  setup.clock.advance(2min);
  REQUIRE(send(setup.transport));
  CHECK(setup.inner.token(1) == "first");
}

TEST_CASE("no token, and what cannot be one, are unauthenticated and never sent") {
  FakeClock clock;
  FakeTransport inner;
  const TempDir dir;
  for (const char* bad : {"", " \n", "a b", "a\r\nX-Injected: 1", "\xc3\xa4"}) {
    AuthorizingTransport transport(inner, clock, file(dir.write("token", bad)));
    const auto refused = send(transport);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::unauthenticated);
  }
  AuthorizingTransport missing(inner, clock, file(dir.path() + "/none"));
  CHECK(send(missing).error().code == ErrorCode::unauthenticated);
  CHECK(inner.count() == 0);
}

TEST_CASE("without a token nothing is added, and a 401 is the answer") {
  FakeClock clock;
  FakeTransport inner;
  inner.answer(401, "");
  AuthorizingTransport transport(inner, clock, {});
  CHECK(send(transport).value().status == 401);
  CHECK(inner.token(0).empty());
}
