// Filters against a plain evaluation of each picture, over random marks, tags, dates and files.
#include <gmock/gmock.h>

#include <array>
#include <ctime>
#include <set>

#include "catalog/sqlite.h"
#include "curation_fixture.h"
#include "tessera/indexer/catalog_filter.h"

namespace tessera {
namespace {

using namespace tessera::testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr unsigned kPictures = 60;
constexpr std::array kTags{"a", "b", "b/c", "b/c/d", "bc", "ü"};
constexpr std::array kFolders{"x", "x/Inner", "xy", "z"};

std::int64_t local_clock(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts{};
  ::localtime_r(&time, &parts);
  return ::timegm(&parts);
}

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return text;
}

class FilterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(dir_ / "photos" / "z");
    for (unsigned i = 0; i < kPictures; ++i) {
      const auto path = photo(i);
      write_picture(path, i, 64 + static_cast<int>(16 * (i % 5)), 64 + static_cast<int>(16 * (i % 3)));
      if (i % 7 == 0) std::filesystem::copy_file(path, dir_ / "photos" / "z" / ("copy " + std::to_string(i) + ".png"));
    }
    FakeEncoder encoder;
    Library library = Library::open(dir_ / "library", OpenMode::kCreate);
    index(library, {dir_ / "photos"}, encoder);
    for (unsigned i = 0; i < kPictures; i += 9) std::filesystem::remove(photo(i));
    index(library, {dir_ / "photos"}, encoder);
    mark_at_random();
    records_ = list_all(library);
    ASSERT_EQ(records_.size(), kPictures);
    const Curation curation = Curation::open(dir_ / "library", OpenMode::kRead);
    for (const ImageRecord& record : records_) {
      marks_[record.id] = curation.marks(record.hash);
      tags_[record.id] = curation.tags(record.hash);
    }
    const auto members = curation.collection_images(curation.find_collection("some")->id);
    members_ = std::set<ImageId>(members.begin(), members.end());
  }

  std::filesystem::path photo(unsigned i) const {
    return dir_ / "photos" / kFolders[i % kFolders.size()] / ("IMG_" + std::to_string(i) + (i % 2 ? ".png" : ".jpg"));
  }

  void mark_at_random() {
    Library library = Library::open(dir_ / "library", OpenMode::kRead);
    Curation curation = Curation::open(dir_ / "library", OpenMode::kWrite);
    catalog::Database db(dir_ / "library" / "catalog.sqlite", catalog::Database::Access::kWrite);
    const CollectionId some = curation.create_collection("some");
    for (const ImageRecord& record : list_all(library)) {
      const std::array content{record.hash};
      if (below(4) > 0) {
        curation.set_marks(content, {static_cast<Flag>(static_cast<int>(below(3)) - 1), static_cast<int>(below(6)),
                                     static_cast<ColorLabel>(below(6))});
      }
      for (const char* tag : kTags) {
        if (below(4) == 0) curation.change_tags(content, std::array{std::string(tag)}, {});
      }
      if (below(3) == 0) curation.add_to_collection(some, content);
      if (below(2) == 0) {
        db.prepare("UPDATE images SET taken = ?2 WHERE id = ?1").bind(1, record.id).bind(2, random_date()).run();
      }
      if (record.files.front().state == FileState::kMissing && below(2) == 0) {
        const auto& path = record.files.front().path;
        curation.set_marks(content, {.rating = 5});
        db.prepare(
              "INSERT INTO trashed (folder, name, place, info, content, time_ns) "
              "SELECT ?1, ?2, ?3, x'00', id, 0 FROM contents WHERE hash = ?4")
            .bind_blob(1, path.parent_path().native())
            .bind_blob(2, path.filename().native())
            .bind_blob(3, "/trash/" + std::to_string(record.id))
            .bind_blob(4, {reinterpret_cast<const char*>(record.hash.digest.data()), 16})
            .run();
      }
    }
  }

  std::int64_t random_date() { return 1'500'000'000 + static_cast<std::int64_t>(below(300'000'000)); }
  unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }
  bool one_in(unsigned n) { return below(n) == 0; }

  template <typename T, typename Make>
  Range<T> random_range(const Make& make) {
    Range<T> range;
    if (one_in(2)) range.least = make();
    if (one_in(2)) range.most = make();
    return range;
  }

  std::vector<std::string> random_tags() {
    std::vector<std::string> tags;
    for (const char* tag : kTags) {
      if (one_in(4)) tags.emplace_back(tag);
    }
    if (one_in(10)) tags.emplace_back("unknown");
    return tags;
  }

  CatalogFilter random_filter() {
    CatalogFilter filter;
    if (one_in(3)) filter.rating = random_range<int>([&] { return static_cast<int>(below(6)); });
    for (int flag = -1; one_in(4) && flag <= 1; ++flag) filter.flags.push_back(static_cast<Flag>(flag));
    for (int label = 0; label <= 5 && one_in(3); ++label) filter.labels.push_back(static_cast<ColorLabel>(label));
    if (one_in(5)) filter.tags = random_tags();
    if (one_in(5)) filter.any_tags = random_tags();
    if (one_in(5)) filter.no_tags = random_tags();
    filter.untagged = one_in(12);
    if (one_in(4)) filter.under.push_back(dir_ / "photos" / kFolders[below(kFolders.size())]);
    if (one_in(6)) filter.under.push_back(photo(below(kPictures)));
    if (one_in(5)) filter.date = random_range<std::int64_t>([&] { return random_date(); });
    if (one_in(5)) filter.bytes = random_range<std::int64_t>([&] { return 200 + below(3000); });
    if (one_in(5)) filter.pixels = random_range<std::int64_t>([&] { return 4096 + below(8000); });
    if (one_in(5)) filter.side = random_range<std::int64_t>([&] { return 64 + below(64); });
    if (one_in(4)) filter.text = std::array{"img_1", "PNG", "copy", "x/in  1", "nothing"}[below(5)];
    if (one_in(6)) filter.collection = "some";
    if (one_in(6)) filter.state = static_cast<FileState>(below(2));
    filter.with_trashed = one_in(2);
    return filter;
  }

  static bool has_tag(const std::vector<std::string>& tags, const std::string& wanted) {
    return std::any_of(tags.begin(), tags.end(),
                       [&](const std::string& tag) { return tag == wanted || tag.starts_with(wanted + "/"); });
  }

  bool file_passes(const FileRecord& file, const CatalogFilter& filter) const {
    if (filter.state && file.state != *filter.state) return false;
    const std::string path = file.path.string();
    if (!filter.under.empty() && std::none_of(filter.under.begin(), filter.under.end(), [&](const auto& under) {
          return path == under.string() || path.starts_with(under.string() + "/");
        })) {
      return false;
    }
    std::istringstream words(lower(filter.text));
    for (std::string word; words >> word;) {
      if (lower(path).find(word) == std::string::npos) return false;
    }
    return true;
  }

  bool passes(const ImageRecord& record, const CatalogFilter& filter) const {
    const Marks& marks = marks_.at(record.id);
    const auto& tags = tags_.at(record.id);
    const auto one_of = [](const auto& values, auto value) {
      return values.empty() || std::find(values.begin(), values.end(), value) != values.end();
    };
    const auto has = [&](const std::string& tag) { return has_tag(tags, tag); };
    std::int64_t oldest = std::numeric_limits<std::int64_t>::max();
    for (const FileRecord& file : record.files) oldest = std::min(oldest, file.mtime_ns / 1'000'000'000);
    const bool trashed =
        std::all_of(record.files.begin(), record.files.end(), [](const FileRecord& file) { return file.trashed; });
    return filter.rating.holds(marks.rating) && one_of(filter.flags, marks.flag) &&
           one_of(filter.labels, marks.label) && std::all_of(filter.tags.begin(), filter.tags.end(), has) &&
           (filter.any_tags.empty() || std::any_of(filter.any_tags.begin(), filter.any_tags.end(), has)) &&
           std::none_of(filter.no_tags.begin(), filter.no_tags.end(), has) && (!filter.untagged || tags.empty()) &&
           filter.date.holds(record.taken.value_or(local_clock(oldest))) &&
           filter.bytes.holds(static_cast<std::int64_t>(record.hash.bytes)) &&
           filter.pixels.holds(std::int64_t{record.width} * record.height) &&
           filter.side.holds(std::max(record.width, record.height)) &&
           (filter.collection.empty() || members_.contains(record.id)) && (filter.with_trashed || !trashed) &&
           std::any_of(record.files.begin(), record.files.end(),
                       [&](const FileRecord& file) { return file_passes(file, filter); });
  }

  std::vector<ImageId> expected(const CatalogFilter& filter) const {
    std::vector<ImageId> ids;
    for (const ImageRecord& record : records_) {
      if (passes(record, filter)) ids.push_back(record.id);
    }
    return ids;
  }

  TempDir dir_;
  std::mt19937 random_{11};
  std::vector<ImageRecord> records_;
  std::map<ImageId, Marks> marks_;
  std::map<ImageId, std::vector<std::string>> tags_;
  std::set<ImageId> members_;
};

TEST_F(FilterTest, RandomFiltersKeepWhatAPlainEvaluationKeeps) {
  const Library library = Library::open(dir_ / "library", OpenMode::kRead);
  int some = 0, partial = 0;
  for (int i = 0; i < 3000; ++i) {
    const CatalogFilter filter = random_filter();
    const std::vector<ImageId> found = library.matching(filter);
    ASSERT_EQ(found, expected(filter)) << "filter " << i << "\n" << filter_text(filter);
    some += !found.empty();
    partial += !found.empty() && found.size() < kPictures;
  }
  EXPECT_GT(some, 600);
  EXPECT_GT(partial, 500);
}

TEST_F(FilterTest, ListTakesAFilter) {
  const Library library = Library::open(dir_ / "library", OpenMode::kRead);
  ListFilter list;
  list.filter.emplace();
  list.filter->rating = {4, 5};
  std::vector<ImageId> ids;
  for (const ImageRecord& record : list_all(library, list)) ids.push_back(record.id);
  EXPECT_EQ(ids, expected(*list.filter));
  EXPECT_EQ(list_all(library).size(), kPictures) << "without a filter everything is listed, also the trash";
}

TEST_F(FilterTest, SavedSearchesNestButNotInCircles) {
  CatalogFilter good, wanted;
  good.rating.least = 3;
  Curation curation = Curation::open(dir_ / "library", OpenMode::kWrite);
  curation.create_collection("good", CollectionKind::kSavedSearch, filter_text(good));
  curation.create_collection("good ones of some", CollectionKind::kSavedSearch, "collection good\nflag pick\n");
  const Library library = Library::open(dir_ / "library", OpenMode::kRead);
  wanted.collection = "good ones of some";
  CatalogFilter same = good;
  same.flags = {Flag::kPick};
  EXPECT_EQ(library.matching(wanted), expected(same));
  curation.create_collection("circle", CollectionKind::kSavedSearch, "collection circle\n");
  wanted.collection = "circle";
  EXPECT_EQ(code_of([&] { library.matching(wanted); }), ErrorCode::kInvalidArgument);
  wanted.collection = "nothing";
  EXPECT_EQ(code_of([&] { library.matching(wanted); }), ErrorCode::kNotFound);
}

TEST_F(FilterTest, SearchKeepsToTheFilter) {
  const Library library = Library::open(dir_ / "library", OpenMode::kRead);
  CatalogFilter filter;
  filter.rating.least = 2;
  SearchOptions options;
  options.k = kPictures;
  options.only = library.matching(filter);
  Query query;
  query.width = kWidth;
  query.parts.push_back(library.tokens(records_[1].id));
  std::set<ImageId> found;
  for (const SearchHit& hit : library.search(query, options).hits) found.insert(hit.id);
  std::set<ImageId> wanted;
  for (const ImageId id : expected(filter)) {
    const auto& files = library.image(id).files;
    if (std::any_of(files.begin(), files.end(), [](const auto& f) { return f.state == FileState::kPresent; })) {
      wanted.insert(id);
    }
  }
  EXPECT_FALSE(wanted.empty());
  EXPECT_EQ(found, wanted);
  options.only.emplace();
  EXPECT_THAT(library.search(query, options).hits, IsEmpty());
}

}  // namespace
}  // namespace tessera
