#include "support/passphrase_file.hpp"
#include "unit/age/support.hpp"

#include "age/file.hpp"
#include "age/file_key.hpp"
#include "age/identity.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::age;

namespace {

AskPassphrase typed(std::string passphrase) {
  return [passphrase = std::move(passphrase)]() -> Result<SecretBytes> {
    return SecretBytes(as_bytes(passphrase));
  };
}

Stanza stanza(std::string salt, std::string factor, std::size_t body = 32) {
  return {"scrypt", {std::move(salt), std::move(factor)}, Bytes(body)};
}

constexpr const char* k_salt = "AAAAAAAAAAAAAAAAAAAAAA";

} // namespace

TEST_CASE("scrypt: a file is opened by its passphrase, binary and armored, and by no other") {
  const std::string file = rb::test::protect("a key\n", "correct horse");
  const std::string armored = age::test::armored(as_bytes(file));
  for (const std::string& text : {file, armored}) {
    CHECK(is_encrypted_identity_file(text));
    const auto opened = decrypt_bytes_with_passphrase(as_bytes(text), typed("correct horse"));
    REQUIRE(opened);
    CHECK(opened->text() == "a key\n");
    DecryptFailure failure = DecryptFailure::none;
    const auto other =
        decrypt_bytes_with_passphrase(as_bytes(text), typed("correct hors"), &failure);
    REQUIRE_FALSE(other);
    CHECK(failure == DecryptFailure::no_match);
    CHECK(other.error().message == "wrong passphrase");
  }
}

TEST_CASE("scrypt: nobody is asked for the passphrase of a file that is made for keys") {
  const auto identities = age::test::one_identity();
  const auto sealed = encrypt_bytes(as_bytes("x"), age::test::recipients_of(identities)).value();
  int asked = 0;
  const auto opened = decrypt_bytes_with_passphrase(sealed, [&]() -> Result<SecretBytes> {
    ++asked;
    return SecretBytes();
  });
  CHECK_FALSE(opened);
  CHECK(asked == 0);
}

TEST_CASE("scrypt: that nobody can be asked is told from a damaged file") {
  const std::string file = rb::test::protect("a key\n", "p");
  DecryptFailure failure = DecryptFailure::none;
  const auto opened = decrypt_bytes_with_passphrase(
      as_bytes(file),
      []() -> Result<SecretBytes> {
        return Error{ErrorCode::cancelled, "no terminal", {}};
      },
      &failure);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == ErrorCode::cancelled);
  CHECK(failure == DecryptFailure::other);
}

TEST_CASE("scrypt: a stanza that does not have the one form is refused before any work") {
  for (const Stanza& bad : {stanza(k_salt, "0"),
                            stanza(k_salt, "01"),
                            stanza(k_salt, "+4"),
                            stanza(k_salt, "-4"),
                            stanza(k_salt, "4 "),
                            stanza(k_salt, "0x4"),
                            stanza(k_salt, ""),
                            stanza(k_salt, "23"),
                            stanza(k_salt, "99999999999999999999"),
                            stanza("AAAA", "4"),
                            stanza("!", "4"),
                            stanza(k_salt, "4", 31),
                            stanza(k_salt, "4", 48),
                            Stanza{"scrypt", {k_salt}, Bytes(32)},
                            Stanza{"scrypt", {k_salt, "4", "x"}, Bytes(32)}}) {
    const auto unwrapped = unwrap_scrypt(bad, as_bytes("p"));
    REQUIRE_FALSE(unwrapped);
    CHECK(unwrapped.error().code == ErrorCode::corrupt);
  }
  const auto fine = unwrap_scrypt(stanza(k_salt, "4"), as_bytes("p"));
  REQUIRE(fine);
  CHECK_FALSE(*fine);
}

TEST_CASE("scrypt: the work that is done has the bound of age") {
  CHECK(k_scrypt_work_factor_limit == 22);
  CHECK_FALSE(unwrap_scrypt(stanza(k_salt, "5"), as_bytes("p"), 4));
  CHECK(unwrap_scrypt(stanza(k_salt, "4"), as_bytes("p"), 4));
}
