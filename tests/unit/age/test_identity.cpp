#include "unit/age/support.hpp"

#include "age/identity.hpp"
#include "age/kem.hpp"
#include "age/typed_text.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>

using namespace rb;
using namespace rb::age;

namespace {

const std::string k_key(test::k_identity);

Error error_of(std::string_view text) {
  auto file = parse_identity_file(text);
  REQUIRE_FALSE(file);
  CHECK(file.error().message.find("EGTZ") == std::string::npos);
  return file.error();
}

} // namespace

TEST_CASE("Recipient: text() is what parse() takes") {
  const Recipient recipient = test::one_identity()[0].recipient();
  CHECK(recipient.text().size() == 62);
  const auto again = Recipient::parse(recipient.text());
  REQUIRE(again);
  CHECK(*again == recipient);
}

TEST_CASE("Recipient::parse: other kinds are unsupported, not malformed") {
  for (const char* text :
       {"age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t",
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ",
        "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t alice",
        "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY= alice",
        "scrypt"}) {
    CAPTURE(text);
    const auto recipient = Recipient::parse(text);
    REQUIRE_FALSE(recipient);
    CHECK(recipient.error().code == ErrorCode::unsupported);
    CHECK(recipient.error().message.ends_with("is not supported"));
    CHECK_FALSE(recipient.error().hint.empty());
  }
}

TEST_CASE("Recipient::parse: malformed text is an invalid argument") {
  const std::string good = test::one_identity()[0].recipient().text();
  std::string flipped = good;
  flipped[20] = flipped[20] == 'q' ? 'p' : 'q';
  std::string upper = good;
  std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) {
    return static_cast<char>(std::toupper(c));
  });
  for (const std::string& text : {std::string(),
                                  std::string("age1"),
                                  std::string("hello"),
                                  good + " ",
                                  " " + good,
                                  good.substr(0, good.size() - 1),
                                  flipped,
                                  upper,
                                  std::string("age1qqqsyqcyq5rqwzqf9z2nv0")}) {
    CAPTURE(text);
    const auto recipient = Recipient::parse(text);
    REQUIRE_FALSE(recipient);
    CHECK(recipient.error().code == ErrorCode::invalid_argument);
  }
}

TEST_CASE("Recipient::parse: a private key given by mistake is not repeated") {
  const auto recipient = Recipient::parse(test::k_identity);
  REQUIRE_FALSE(recipient);
  CHECK(recipient.error().code == ErrorCode::invalid_argument);
  CHECK(recipient.error().message ==
        "recipient: malformed: a private key was given instead of a public one");
  CHECK(recipient.error().hint.find("EGTZ") == std::string::npos);
}

TEST_CASE("recipients_sha256: the same for the same recipients, in any order") {
  const Recipient one = test::one_identity()[0].recipient();
  const Recipient two = Identity::generate().value().recipient();
  const std::string both = recipients_sha256(std::vector{one, two});
  CHECK(both.size() == 64);
  CHECK(recipients_sha256(std::vector{two, one}) == both);
  CHECK(recipients_sha256(std::vector{two, one, two}) == both);
  CHECK(recipients_sha256(std::vector{one}) != both);
  CHECK(recipients_sha256(std::vector{two}) != recipients_sha256(std::vector{one}));
}

TEST_CASE("shortened: what is longer than a line keeps its beginning and its end") {
  const std::string x25519 = test::one_identity()[0].recipient().text();
  CHECK(shortened(x25519) == x25519);
  const std::string ssh = test::vector_line("ssh-ed25519.pub");
  CHECK(shortened(ssh) == ssh);
  const std::string hybrid = test::vector_line("pq.pub");
  CHECK(shortened(hybrid) == hybrid.substr(0, 24) + "..." + hybrid.substr(hybrid.size() - 12));
}

TEST_CASE("Identity: text() is what parse() takes") {
  const auto identity = Identity::parse(test::k_identity);
  REQUIRE(identity);
  CHECK(identity->text().text() == test::k_identity);
  CHECK(identity->recipient().text() ==
        "age1xmwwc06ly3ee5rytxm9mflaz2u56jjj36s0mypdrwsvlul66mv4q47ryef");
}

TEST_CASE("Identity::generate: each is another, and each can be parsed") {
  const auto first = Identity::generate();
  const auto second = Identity::generate();
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->recipient() != second->recipient());
  const auto again = Identity::parse(first->text().text());
  REQUIRE(again);
  CHECK(again->recipient() == first->recipient());
}

TEST_CASE("Identity::parse: other kinds are unsupported") {
  CHECK(Identity::parse("AGE-PLUGIN-YUBIKEY-1XXXX").error().code == ErrorCode::unsupported);
}

TEST_CASE("Identity::parse: no error repeats any part of the key") {
  const std::string good(test::k_identity);
  std::string lower = good;
  for (char& c : lower) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  std::string flipped = good;
  flipped[30] = flipped[30] == 'Q' ? 'P' : 'Q';
  for (const std::string& text :
       {good + " ", " " + good, good.substr(0, 40), flipped, lower, std::string(), good + good}) {
    const auto identity = Identity::parse(text);
    REQUIRE_FALSE(identity);
    CHECK(identity.error().code == ErrorCode::invalid_argument);
    CHECK(identity.error().message.starts_with("identity: malformed: "));
    CHECK(identity.error().message.find("EGTZ") == std::string::npos);
    CHECK(identity.error().message.find("egtz") == std::string::npos);
  }
}

TEST_CASE("parse_identity_file: comments, empty lines, CRLF and several identities") {
  const auto second = Identity::generate().value();
  const std::string text = "# created: 2026-11-22\n# public key: age1...\n" + k_key + "\r\n\n\r\n" +
                           std::string(second.text().text());
  const auto file = parse_identity_file(text);
  REQUIRE(file);
  REQUIRE(file->identities.size() == 2);
  CHECK(file->identities[0].text().text() == k_key);
  CHECK(file->identities[1].recipient() == second.recipient());
  CHECK(file->warnings.empty());
}

TEST_CASE("parse_identity_file: files of Windows: a byte order mark is none of the first line") {
  for (const std::string& text :
       {"# created: 2026-11-22\r\n" + k_key + "\r\n", k_key, test::vector_text("ssh-ed25519")}) {
    const auto file = parse_identity_file("\xEF\xBB\xBF" + text);
    REQUIRE(file);
    CHECK(!file->identities.empty()); // a key of OpenSSH has an X25519 one beside it
    CHECK(file->warnings.empty());
  }
  const std::string wide{"\xFF\xFE#\0\n\0", 6};
  CHECK(error_of(wide).message == "it is UTF-16, as PowerShell's > writes it");
  CHECK(error_of(wide).hint.find("iconv") != std::string::npos);
}

TEST_CASE("parse_identity_file: blanks around a line, as typing and pasting leave them") {
  std::string indented;
  for (const char c : "\n" + test::vector_text("ssh-ed25519")) {
    indented += c == '\n' ? " \n    " : std::string(1, c);
  }
  for (const std::string& text : {" " + k_key + "\n",
                                  k_key + " \r\n",
                                  "\t" + k_key + "\t \n",
                                  "   \n  # mine\n  " + k_key,
                                  indented}) {
    CAPTURE(text.size());
    const auto file = parse_identity_file(text);
    REQUIRE(file);
    CHECK(!file->identities.empty());
    CHECK(file->warnings.empty());
  }
}

TEST_CASE("parse_identity_file: kinds that we cannot use are skipped with a warning") {
  const auto file = parse_identity_file("AGE-PLUGIN-YUBIKEY-1QQQ\n"
                                        "AGE-SOMETHING-NEW-1QQQ\n"
                                        "-----BEGIN PRIVATE KEY-----\n"
                                        "MC4CAQAwBQYDK2VwBCIEIA\n"
                                        "-----END PRIVATE KEY-----\n" +
                                        test::vector_text("ssh-ed25519-passphrase") + k_key + "\n");
  REQUIRE(file);
  CHECK(file->identities.size() == 1);
  CHECK(file->warnings ==
        std::vector<std::string>{
            "line 1: plugin identity skipped: not supported",
            "line 2: identity of an unknown kind skipped: not supported",
            "line 3: private key in PEM skipped: not supported",
            "line 6 skipped: an OpenSSH key with a passphrase is not supported; take the "
            "passphrase off a copy of it (ssh-keygen -p -N '' -f COPY), or open the files with age "
            "itself (age -d -i KEY)"});
}

TEST_CASE("parse_identity_file: a private key of OpenSSH is one, alone and beside others") {
  const std::string pem = test::vector_text("ssh-ed25519");
  std::string crlf;
  for (const char c : pem) {
    crlf += c == '\n' ? "\r\n" : std::string(1, c);
  }
  for (const std::string& text :
       {pem, crlf, pem.substr(0, pem.size() - 1), "# mine\n" + pem, pem + k_key + "\n" + pem}) {
    const auto file = parse_identity_file(text);
    REQUIRE(file);
    CHECK(file->warnings.empty());
    CHECK(file->identities.size() == (text.size() > 2 * pem.size() ? 5 : 2));
    const std::string line = test::vector_line("ssh-ed25519.pub");
    CHECK(file->identities[0].recipient().text() == line.substr(0, line.rfind(' ')));
    CHECK(file->identities[1].recipient().text().starts_with("age1cph604lqum8"));
  }
  CHECK(parse_identity_file(pem, IdentityLayout::words));
}

TEST_CASE(
    "parse_identity_file: an SSH key in PKCS #8 is one, that of a certificate is passed over") {
  // openssl genpkey -algorithm ed25519, and X25519: made for tests, they protect nothing.
  const std::string ed25519 = "-----BEGIN PRIVATE KEY-----\n"
                              "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
                              "-----END PRIVATE KEY-----\n";
  const auto file = parse_identity_file("# of 1Password\n" + ed25519 + k_key + "\n");
  REQUIRE(file);
  CHECK(file->warnings.empty());
  REQUIRE(file->identities.size() == 3);
  // Public key of RFC 8032, section 7.1, test 1.
  CHECK(file->identities[0].recipient().text() ==
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea");
  CHECK(parse_identity_file(ed25519.substr(0, ed25519.size() - 1)));
  std::string other = ed25519;
  other.replace(other.find("K2Vw"), 4, "K2Vu");
  CHECK(error_of(other).message ==
        "no identity that can be used: line 1: private key in PEM skipped: not supported");
}

TEST_CASE("parse_identity_file: a private key of OpenSSH that is damaged is named by its line") {
  const std::string pem = test::vector_text("ssh-ed25519");
  const std::string malformed = "identity: malformed: not a private key as OpenSSH writes it";
  CHECK(error_of("\n" + pem.substr(0, 200)).message == "line 2: " + malformed);
  CHECK(error_of(pem.substr(0, 100) + pem.substr(104)).message == "line 1: " + malformed);
  std::string long_one = pem.substr(0, 100);
  for (int i = 0; i < 10'000; ++i) {
    long_one += "\nAAAA";
  }
  CHECK(error_of(long_one + "\n-----END OPENSSH PRIVATE KEY-----\n").message ==
        "line 1: " + malformed);
}

TEST_CASE("parse_identity_file: a post-quantum identity is one of ours where OpenSSL has ML-KEM") {
  const std::string text = test::vector_text("pq-keys.txt") + k_key + "\n";
  const auto file = parse_identity_file(text);
  REQUIRE(file);
  if (has_ml_kem()) {
    REQUIRE(file->identities.size() == 2);
    CHECK(file->identities[0].recipient().text() == test::vector_line("pq.pub"));
    CHECK(file->warnings.empty());
  } else {
    CHECK(file->identities.size() == 1);
    REQUIRE(file->warnings.size() == 1);
    CHECK(file->warnings[0].starts_with(
        "line 3 skipped: a post-quantum key needs OpenSSL 3.5 or newer"));
  }
  CHECK(error_of("AGE-SECRET-KEY-PQ-1QQQ\n").code == ErrorCode::invalid_argument);
}

TEST_CASE("parse_identity_file: a file without an identity is told from one of other kinds") {
  for (const char* text : {"", "\n\n", "# only a comment\n"}) {
    CHECK(error_of(text).code == ErrorCode::not_found);
    CHECK(error_of(text).message == "no identity in it");
  }
  const Error other = error_of("AGE-PLUGIN-YUBIKEY-1QQQ\n");
  CHECK(other.code == ErrorCode::unsupported);
  CHECK(other.message ==
        "no identity that can be used: line 1: plugin identity skipped: not supported");
}

TEST_CASE("parse_identity_file: a malformed line is named by its number, never by its text") {
  CHECK(error_of("# x\n" + k_key.substr(0, 50) + "\n").message ==
        "line 2: identity: malformed: wrong checksum");
  CHECK(error_of(k_key + " # mine\n").code == ErrorCode::invalid_argument);
  CHECK(error_of(k_key.substr(0, 40) + " " + k_key.substr(40)).code == ErrorCode::invalid_argument);
  CHECK(error_of("hello\n").code == ErrorCode::invalid_argument);
  CHECK(error_of(test::one_identity()[0].recipient().text()).message ==
        "line 1: a recipient where an identity (AGE-SECRET-KEY-1...) is expected");
}

TEST_CASE("holds_key: a key is told from a word about keys, wherever it stands") {
  constexpr std::string_view k_begin = "AGE-SECRET-KEY-";
  CHECK(holds_key(k_key, k_begin));
  CHECK(holds_key("# AGE-SECRET-KEY-1... is in the vault\n# " + k_key, k_begin));
  for (const char* text : {"",
                           "# the AGE-SECRET-KEY private key",
                           "AGE-SECRET-KEY-1...",
                           "(AGE-SECRET-KEY-...)",
                           "/root/AGE-SECRET-KEY-1.txt",
                           "AGE-SECRET-KEY-"}) {
    CAPTURE(text);
    CHECK_FALSE(holds_key(text, k_begin));
  }
}

TEST_CASE("parse_identity_file: a Secret of Kubernetes is told from the keys file that is in it") {
  // As `kubectl get secret sops-age -o yaml` and `-o json` give those of Flux, of KSOPS and of
  // helm-secrets.
  for (const char* text : {"apiVersion: v1\ndata:\n  age.agekey: IyBjcmVhdGVk\nkind: Secret\n"
                           "metadata:\n  name: sops-age\n",
                           "{\n    \"apiVersion\": \"v1\",\n    \"data\": {\n        "
                           "\"keys.txt\": \"IyBjcmVhdGVk\"\n    },\n    \"kind\": \"Secret\"\n}\n",
                           "{\"kind\":\"Secret\",\"data\":{\"key.txt\":\"IyBjcmVhdGVk\"}}"}) {
    CAPTURE(text);
    const Error error = error_of(text);
    CHECK(error.message == "a Kubernetes Secret, and not the keys file that is in it");
    CHECK(error.hint == "take that out: grep -oE '[A-Za-z0-9+/]{96,}=*' FILE | head -n1 | base64 "
                        "-d >keys.txt, and give keys.txt");
  }
  const Error plain =
      error_of("kind: Secret\nstringData:\n  age.agekey: |\n    # mine\n    " + k_key + "\n");
  CHECK(plain.hint == "take that out: grep -oE 'AGE-SECRET-KEY-[0-9A-Z-]+' FILE >keys.txt, and "
                      "give keys.txt");
  CHECK(parse_identity_file("# of kind: Secret\n" + k_key + "\n"));
}

TEST_CASE("parse_identity_file: a variable may hold several identities in a line") {
  const auto second = Identity::generate().value();
  const std::string text = "# a comment\n " + k_key + "\t" + std::string(second.text().text()) +
                           " AGE-PLUGIN-YUBIKEY-1QQQ \r\n   \n";
  const auto file = parse_identity_file(text, IdentityLayout::words);
  REQUIRE(file);
  REQUIRE(file->identities.size() == 2);
  CHECK(file->identities[1].recipient() == second.recipient());
  CHECK(file->warnings.size() == 1);
  CHECK_FALSE(parse_identity_file(text, IdentityLayout::lines));
  CHECK_FALSE(parse_identity_file(k_key + " hello", IdentityLayout::words));
}

TEST_CASE("parse_identity_file: an encrypted identity file is unsupported, with a hint") {
  for (const char* text : {"age-encryption.org/v1\n-> scrypt a 18\n",
                           "-----BEGIN AGE ENCRYPTED FILE-----\nAAAA\n",
                           "\n  \n-----BEGIN AGE ENCRYPTED FILE-----\nAAAA\n",
                           "\xEF\xBB\xBF-----BEGIN AGE ENCRYPTED FILE-----\r\nAAAA\r\n"}) {
    CHECK(is_encrypted_identity_file(text));
    const Error error = error_of(text);
    CHECK(error.code == ErrorCode::unsupported);
    CHECK(error.message == "the identity file is itself encrypted");
    CHECK_FALSE(error.hint.empty());
  }
}
