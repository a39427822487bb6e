// Migrations: each step is all or nothing, and a library of every earlier version stays readable.
#include "catalog/schema.h"

#include <gmock/gmock.h>

#include "library_fixture.h"
#include "test_paths.h"

namespace tessera {
namespace {

using namespace tessera::testing;
using catalog::Database;
using catalog::Migration;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Migration kFirst{1, "CREATE TABLE one (x); INSERT INTO one VALUES (11);"};
constexpr Migration kSecond{2, "ALTER TABLE one ADD COLUMN y; UPDATE one SET y = 2 * x;"};
constexpr Migration kBroken{3, "UPDATE one SET x = 0; UPDATE nothing SET x = 0;"};

TEST(Schema, MigrationsRunOnceAndInOrder) {
  TempDir dir;
  Database db(dir / "c.sqlite", Database::Access::kCreate);
  EXPECT_EQ(catalog::read_schema_version(db, 2), 0);
  catalog::migrate(db, std::array{kFirst});
  EXPECT_EQ(catalog::read_schema_version(db, 1), 1);
  catalog::migrate(db, std::array{kFirst, kSecond});
  catalog::migrate(db, std::array{kFirst, kSecond});
  EXPECT_EQ(catalog::read_schema_version(db, 2), 2);
  EXPECT_EQ(db.query_int("SELECT y FROM one"), 22);
  EXPECT_EQ(db.query_int("SELECT count(*) FROM one"), 1);
}

TEST(Schema, AFailedMigrationLeavesTheVersionBefore) {
  TempDir dir;
  Database db(dir / "c.sqlite", Database::Access::kCreate);
  EXPECT_THROW(catalog::migrate(db, std::array{kFirst, kSecond, kBroken}), Error);
  EXPECT_EQ(catalog::read_schema_version(db, 3), 2);
  EXPECT_EQ(db.query_int("SELECT x FROM one"), 11);
  EXPECT_FALSE(db.in_transaction());
}

TEST(Schema, ANewerVersionIsRefused) {
  TempDir dir;
  Database db(dir / "c.sqlite", Database::Access::kCreate);
  catalog::migrate(db, std::array{kFirst, kSecond});
  EXPECT_EQ(code_of([&] { catalog::read_schema_version(db, 1); }), ErrorCode::kVersion);
  EXPECT_EQ(code_of([&] { catalog::migrate(db, std::array{kFirst}); }), ErrorCode::kVersion);
}

// tests/data/library_v1 was written by the first version: three pictures of /photos, one of them in two files, and one
// file that is no picture. It stays as it is.
TEST(Schema, ALibraryOfVersion1Opens) {
  TempDir dir;
  std::filesystem::copy(test::data_dir() / "library_v1", dir / "library", std::filesystem::copy_options::recursive);
  {
    Database db(dir / "library" / "catalog.sqlite", Database::Access::kRead);
    ASSERT_EQ(db.query_int("PRAGMA user_version"), 1);
  }
  for (const OpenMode mode : {OpenMode::kWrite, OpenMode::kRead}) {
    Library library = Library::open(dir / "library", mode);
    EXPECT_THAT(problems_of(library), IsEmpty());
    EXPECT_THAT(list_all(library), SizeIs(4));
    EXPECT_EQ(library.stats().files, 5);
    EXPECT_EQ(library.stats().failed, 1);
    ASSERT_TRUE(library.encoder());
    EXPECT_EQ(library.encoder()->model_name, "fake");
    const auto b = library.find_path("/photos/b.png");
    ASSERT_TRUE(b);
    EXPECT_EQ(library.find_path("/photos/sub/copy of b.png"), b);
    EXPECT_EQ(library.tokens(*b).token_count, kStoredTokens);
    EXPECT_EQ(library.image(*library.find_path("/photos/bad.jpg")).error_code, "unsupported");
  }
}

}  // namespace
}  // namespace tessera
