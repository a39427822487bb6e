// Library: several processes, other versions, other models, damage.
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "catalog/schema.h"
#include "library_fixture.h"

namespace tessera {
namespace {

using namespace tessera::testing;
using catalog::Database;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

class LibraryAccess : public ::testing::Test {
 protected:
  void make(unsigned pictures) {
    for (unsigned i = 0; i < pictures; ++i) write_picture(photos() / (std::to_string(i) + ".png"), i);
    Library library = open(OpenMode::kCreate);
    index(library, {photos()}, encoder_);
  }
  std::filesystem::path photos() const { return dir_ / "photos"; }
  std::filesystem::path library_dir() const { return dir_ / "library"; }
  std::filesystem::path catalog_path() const { return library_dir() / "catalog.sqlite"; }
  Library open(OpenMode mode) const { return Library::open(library_dir(), mode); }
  Query query_like(Library& library, ImageId id) {
    Query query;
    query.width = kWidth;
    query.parts = {library.tokens(id)};
    return query;
  }

  TempDir dir_;
  FakeEncoder encoder_;
};

TEST_F(LibraryAccess, NoLibraryIsNotFound) {
  EXPECT_EQ(code_of([&] { open(OpenMode::kRead); }), ErrorCode::kNotFound);
  EXPECT_EQ(code_of([&] { open(OpenMode::kWrite); }), ErrorCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(library_dir()));
}

TEST_F(LibraryAccess, ASecondWriterIsRefusedWhileReadersGoOn) {
  make(5);
  Library writer = open(OpenMode::kWrite);
  std::string message;
  EXPECT_EQ(code_of([&] { open(OpenMode::kWrite); }, &message), ErrorCode::kBusy);
  EXPECT_THAT(message, HasSubstr("process " + std::to_string(::getpid())));
  const pid_t child = ::fork();
  if (child == 0) {
    const bool busy = code_of([&] { open(OpenMode::kCreate); }) == ErrorCode::kBusy;
    Library reader = open(OpenMode::kRead);
    ::_exit(busy && reader.stats().images == 5 ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST_F(LibraryAccess, TheDataVersionChangesWithWhatOthersCommit) {
  make(3);
  const Library reader = open(OpenMode::kRead);
  const std::int64_t before = reader.data_version();
  EXPECT_EQ(reader.image(1).id, 1);
  EXPECT_EQ(reader.data_version(), before);
  const pid_t child = ::fork();
  if (child == 0) {
    write_picture(photos() / "100.png", 100);
    Library writer = open(OpenMode::kWrite);
    index(writer, {photos()}, encoder_);
    ::_exit(writer.stats().images == 4 ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_EQ(status, 0);
  const std::int64_t after = reader.data_version();
  EXPECT_NE(after, before);
  EXPECT_EQ(reader.stats().images, 4);
  EXPECT_EQ(reader.data_version(), after);
  open(OpenMode::kWrite).remove(std::array{photos() / "100.png"});  // in this process
  EXPECT_NE(reader.data_version(), after);
}

TEST_F(LibraryAccess, AReaderSearchesWhileAWriterIndexes) {
  make(10);
  for (unsigned i = 100; i < 160; ++i) write_picture(photos() / (std::to_string(i) + ".png"), i);
  std::atomic<bool> done{false};
  std::thread writing([&] {
    Library writer = open(OpenMode::kWrite);
    IngestOptions options;
    options.images_per_segment = 5;
    options.batch = 5;
    index(writer, {photos()}, encoder_, options);
    writer.compact();
    done = true;
  });
  Library reader = open(OpenMode::kRead);
  std::int64_t searched = 0;
  int searches = 0;
  do {
    const SearchResult result = reader.search(query_like(reader, 1));
    EXPECT_GE(result.searched, searched);  // never fewer than before
    searched = result.searched;
    ASSERT_FALSE(result.hits.empty());
    EXPECT_EQ(result.hits[0].id, 1);
    reader.refresh();
    ++searches;
  } while (!done);
  writing.join();
  EXPECT_GT(searches, 1);
  EXPECT_EQ(reader.search(query_like(reader, 1)).searched, 70);
}

TEST_F(LibraryAccess, SearchFindsThePictureItselfAndRespectsUnderAndMissing) {
  make(12);
  write_picture(dir_ / "photos" / "sub" / "x.png", 50);
  Library library = open(OpenMode::kWrite);
  index(library, {photos()}, encoder_);
  const ImageId three = *library.find_path(photos() / "3.png");
  SearchResult result = library.search(query_like(library, three));
  ASSERT_FALSE(result.hits.empty());
  EXPECT_EQ(result.hits[0].id, three);
  EXPECT_NEAR(result.hits[0].score, 1.0, 0.01);
  EXPECT_EQ(result.searched, 13);
  SearchOptions under;
  under.under = {photos() / "sub"};
  result = library.search(query_like(library, three), under);
  ASSERT_THAT(result.hits, SizeIs(1));
  EXPECT_EQ(result.hits[0].id, *library.find_path(photos() / "sub" / "x.png"));
  const Query query = query_like(library, three);
  std::filesystem::remove(photos() / "3.png");
  index(library, {photos()}, encoder_);
  result = library.search(query);
  EXPECT_EQ(result.searched, 12);
  for (const SearchHit& hit : result.hits) EXPECT_NE(hit.id, three);
}

TEST_F(LibraryAccess, AnotherModelIsRefusedWithBothNames) {
  make(2);
  FakeEncoder other("ffffffffffffffffffffffffffffffff");
  Library library = open(OpenMode::kWrite);
  LibraryEncoder identity = library_encoder(other);
  identity.model_name = "other model";
  std::string message;
  EXPECT_EQ(code_of([&] { library.set_encoder(identity); }, &message), ErrorCode::kModelMismatch);
  EXPECT_THAT(message, HasSubstr("'fake'"));
  EXPECT_THAT(message, HasSubstr("'other model'"));
  const std::vector roots{photos()};
  EXPECT_EQ(code_of([&] { library.index(roots, {}, other); }), ErrorCode::kModelMismatch);
  identity = library_encoder(encoder_);
  identity.resize = parse_resize_spec("square:96");
  EXPECT_EQ(code_of([&] { library.set_encoder(identity); }), ErrorCode::kModelMismatch);
  identity = library_encoder(encoder_);
  identity.model_dir = "/elsewhere";
  library.set_encoder(identity);
  EXPECT_EQ(library.encoder()->model_dir, "/elsewhere");
  EXPECT_THAT(problems_of(library), IsEmpty());
}

TEST_F(LibraryAccess, ALibraryOfANewerVersionIsLeftAlone) {
  make(2);
  {
    Database db(catalog_path(), Database::Access::kWrite);
    db.execute("PRAGMA user_version = 99");
  }
  for (const OpenMode mode : {OpenMode::kRead, OpenMode::kWrite, OpenMode::kCreate}) {
    std::string message;
    EXPECT_EQ(code_of([&] { open(mode); }, &message), ErrorCode::kVersion);
    EXPECT_THAT(message, HasSubstr("newer Tessera"));
  }
  Database db(catalog_path(), Database::Access::kRead);
  EXPECT_EQ(db.query_int("PRAGMA user_version"), 99);
  EXPECT_EQ(db.query_int("SELECT count(*) FROM images"), 2);
}

TEST_F(LibraryAccess, WhatIsNoCatalogIsDamagedAndLeftAlone) {
  const std::string text(5000, 'x');
  write_text(catalog_path(), text);
  for (const OpenMode mode : {OpenMode::kRead, OpenMode::kWrite, OpenMode::kCreate}) {
    std::string message;
    EXPECT_EQ(code_of([&] { open(mode); }, &message), ErrorCode::kDamaged);
    EXPECT_THAT(message, HasSubstr("catalog.sqlite"));
  }
  const auto bytes = read_file(catalog_path());
  EXPECT_EQ(std::string(bytes.begin(), bytes.end()), text);
  std::filesystem::remove(catalog_path());
  {
    Database db(catalog_path(), Database::Access::kCreate);
    db.execute("CREATE TABLE somebody_elses (x)");
  }
  EXPECT_EQ(code_of([&] { open(OpenMode::kCreate); }), ErrorCode::kDamaged);
}

TEST_F(LibraryAccess, VerifyFindsDamageOfEveryPart) {
  make(6);
  std::filesystem::path segment;
  for (const auto& entry : std::filesystem::directory_iterator(library_dir() / "segments")) segment = entry.path();
  const auto flip = [](const std::filesystem::path& path, std::int64_t at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at);
    const char byte = static_cast<char>(file.get() ^ 0x55);
    file.seekp(at);
    file.put(byte);
  };
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(segment));
  for (const std::int64_t at : {std::int64_t{20}, std::int64_t{5000}, size - 3}) {
    flip(segment, at);
    EXPECT_THAT(problems_of(open(OpenMode::kRead)), ElementsAre(StartsWith(segment.string() + ": is damaged: "))) << at;
    flip(segment, at);
  }
  EXPECT_THAT(problems_of(open(OpenMode::kRead), true), IsEmpty());

  flip(photos() / "2.png", 60);
  EXPECT_THAT(problems_of(open(OpenMode::kRead)), IsEmpty());
  EXPECT_THAT(problems_of(open(OpenMode::kRead), true), SizeIs(1));
  flip(photos() / "2.png", 60);

  std::filesystem::rename(segment, dir_ / "away.seg");
  EXPECT_THAT(problems_of(open(OpenMode::kRead)), SizeIs(1));
  std::filesystem::rename(dir_ / "away.seg", segment);
  {
    Database db(catalog_path(), Database::Access::kWrite);
    db.execute("UPDATE images SET row = 77 WHERE id = 1; UPDATE images SET hash = zeroblob(16) WHERE id = 2");
  }
  EXPECT_THAT(problems_of(open(OpenMode::kRead)), SizeIs(2));
}

TEST_F(LibraryAccess, ADamagedCatalogPageIsReportedNotRead) {
  make(40);
  const auto bytes = static_cast<std::int64_t>(std::filesystem::file_size(catalog_path()));
  std::fstream file(catalog_path(), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4096);
  file << std::string(static_cast<std::size_t>(bytes - 4096), '\x5a');
  file.close();
  const ErrorCode code = code_of([&] {
    Library library = open(OpenMode::kRead);
    if (!library.verify().empty()) throw Error(ErrorCode::kDamaged, "verify found it");
  });
  EXPECT_EQ(code, ErrorCode::kDamaged);
  EXPECT_EQ(code_of([&] { list_all(open(OpenMode::kRead)); }), ErrorCode::kDamaged);
}

TEST_F(LibraryAccess, LeftOversOfAKilledRunAreRemovedByTheNextWriter) {
  make(2);
  write_text(library_dir() / "segments" / "00000077.seg", "orphan");
  write_text(library_dir() / "segments" / "00000078.seg.tmp", "half");
  open(OpenMode::kRead);
  EXPECT_TRUE(std::filesystem::exists(library_dir() / "segments" / "00000077.seg"));
  Library library = open(OpenMode::kWrite);
  EXPECT_FALSE(std::filesystem::exists(library_dir() / "segments" / "00000077.seg"));
  EXPECT_FALSE(std::filesystem::exists(library_dir() / "segments" / "00000078.seg.tmp"));
  EXPECT_THAT(problems_of(library), IsEmpty());
}

TEST_F(LibraryAccess, FindUpwardWorksLikeGit) {
  std::filesystem::create_directories(dir_ / "a" / "b" / "c");
  EXPECT_EQ(Library::find_upward(dir_ / "a" / "b" / "c"), std::nullopt);
  Library::open(dir_ / "a" / ".tessera", OpenMode::kCreate);
  EXPECT_EQ(Library::find_upward(dir_ / "a" / "b" / "c"), dir_ / "a" / ".tessera");
  EXPECT_EQ(Library::find_upward(dir_ / "a"), dir_ / "a" / ".tessera");
  EXPECT_EQ(resolve_library_dir("/some/where"), "/some/where");
}

}  // namespace
}  // namespace tessera
