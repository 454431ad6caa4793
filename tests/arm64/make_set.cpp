// rb_make_set DIRECTORY: a backup set of all artifacts in DIRECTORY/backups, and in
// DIRECTORY/keys.txt the key that opens it. For tests in which another machine's program reads it.
#include "support/backup_fixture.hpp"
#include "support/sets.hpp"

#include <filesystem>
#include <iostream>

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: rb_make_set DIRECTORY\n";
    return 2;
  }
  rb::test::BackupFixture fixture;
  const std::string run_id = rb::test::run_id_of_day(1);
  fixture.add_set(run_id);
  const std::filesystem::path directory = argv[1];
  std::filesystem::create_directories(directory);
  std::filesystem::copy(
      fixture.backups(), directory / "backups", std::filesystem::copy_options::recursive);
  std::filesystem::copy_file(fixture.keys(), directory / "keys.txt");
  std::cout << run_id << "\n";
}
