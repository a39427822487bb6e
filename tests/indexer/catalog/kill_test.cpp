// Kills an index run at 200 random moments and checks each time that nothing committed was lost or done twice.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <set>

#include "library_fixture.h"

namespace tessera {
namespace {

using namespace tessera::testing;

constexpr int kKills = 200;
constexpr unsigned kPictures = 60;

std::string key_of(const Image& prepared) { return hash_content(prepared.rgb).hex(); }

// The process that is killed: indexes, logging each picture that it encodes, and compacts.
[[noreturn]] void run_indexer(const std::filesystem::path& library_dir, const std::filesystem::path& photos,
                              const std::filesystem::path& log_path) {
  int status = 1;
  try {
    const int log = ::open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    FakeEncoder encoder;
    encoder.on_image = [&](const Image& image) {
      const std::string line = key_of(image) + "\n";
      if (::write(log, line.data(), line.size()) != static_cast<ssize_t>(line.size())) ::_exit(2);
    };
    Library library = Library::open(library_dir, OpenMode::kCreate);
    IngestOptions options;
    options.images_per_segment = 8;
    options.batch = 4;
    const IngestReport report = index(library, {photos}, encoder, options);
    library.compact();
    status = report.failed.empty() && !report.cancelled ? 0 : 3;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "indexer: %s\n", error.what());
  }
  ::_exit(status);
}

struct Ended {
  bool killed = false;
  int status = 0;
  double seconds = 0;
};

Ended run_and_kill(const std::filesystem::path& library_dir, const std::filesystem::path& photos,
                   const std::filesystem::path& log, std::optional<std::chrono::microseconds> after) {
  const auto begin = std::chrono::steady_clock::now();
  const pid_t child = ::fork();
  if (child == 0) run_indexer(library_dir, photos, log);
  if (after) {
    ::usleep(static_cast<useconds_t>(after->count()));
    ::kill(child, SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return {WIFSIGNALED(status), WIFEXITED(status) ? WEXITSTATUS(status) : -1, seconds};
}

std::multiset<std::string> read_log(const std::filesystem::path& log) {
  std::multiset<std::string> keys;
  std::ifstream in(log);
  for (std::string line; std::getline(in, line);) keys.insert(line);
  std::error_code ignored;
  std::filesystem::remove(log, ignored);
  return keys;
}

class KillTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (unsigned i = 0; i < kPictures; ++i) {
      const auto path = photos_ / ("folder" + std::to_string(i % 5)) / (std::to_string(i) + ".png");
      write_picture(path, i, 64, 64);
      const Image prepared = prepare_image(load_image(path), library_encoder(FakeEncoder()).resize);
      content_of_[key_of(prepared)] = hash_content(read_file(path));
    }
    ASSERT_EQ(content_of_.size(), kPictures);
  }

  // Opens as the next writer would and compares with what was committed before the run.
  void check_after(const Ended& ended) {
    Library library = Library::open(library_, OpenMode::kCreate);
    ASSERT_EQ(problems_of(library), std::vector<std::string>()) << "after " << ended.seconds << " s";
    std::map<ContentHash, ImageId> committed;
    for (const ImageRecord& image : list_all(library)) {
      ASSERT_EQ(image.error, "");
      ASSERT_FALSE(image.files.empty());
      library.tokens(image.id);
      committed[image.hash] = image.id;
    }
    for (const auto& [hash, id] : committed_) {
      ASSERT_TRUE(committed.contains(hash)) << "a committed picture was lost";
      ASSERT_EQ(committed[hash], id) << "a committed picture has another id";
    }
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(library_ / "segments")) {
      ASSERT_EQ(entry.path().extension(), ".seg");
      ++files;
    }
    ASSERT_EQ(files, static_cast<std::size_t>(library.stats().segments)) << "segment files that nobody names remain";
    for (const std::string& key : read_log(log_)) {
      ++encoded_[key];
      ASSERT_TRUE(content_of_.contains(key));
      ASSERT_FALSE(committed_.contains(content_of_[key])) << "a committed picture was encoded again";
    }
    for (const auto& [key, times] : encoded_) {
      ASSERT_LE(times, 1 + kills_of_library_) << "encoded more often than runs were killed";
    }
    committed_ = std::move(committed);
  }

  // The next library goes where the last one was not: on the disk, where syncs take time, or in memory.
  void start_over() {
    std::filesystem::remove_all(library_);
    on_disk_ = !on_disk_;
    library_ = (on_disk_ ? dir_ : in_memory_) / "library";
    committed_.clear();
    encoded_.clear();
    kills_of_library_ = 0;
  }

  TempDir dir_;
  TempDir in_memory_{::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : std::filesystem::temp_directory_path()};
  bool on_disk_ = true;
  const std::filesystem::path photos_ = dir_ / "photos";
  std::filesystem::path library_ = dir_ / "library";
  const std::filesystem::path log_ = dir_ / "encoded.log";
  std::map<std::string, ContentHash> content_of_;  // by the prepared pixels
  std::map<ContentHash, ImageId> committed_;
  std::map<std::string, int> encoded_;  // how often, in this library
  int kills_of_library_ = 0;
};

TEST_F(KillTest, NothingCommittedIsLostOrEncodedTwice) {
  double whole_seconds[2] = {};  // of a run that nobody kills, by on_disk_
  for (int i = 0; i < 2; ++i) {
    const Ended whole = run_and_kill(library_, photos_, log_, std::nullopt);
    ASSERT_EQ(whole.status, 0);
    ASSERT_NO_FATAL_FAILURE(check_after(whole));
    ASSERT_EQ(committed_.size(), kPictures);
    whole_seconds[on_disk_] = whole.seconds;
    start_over();
  }

  std::mt19937 random(20260101);
  int kills = 0;
  int completed = 0;
  int with_progress = 0;
  for (int run = 0; kills < kKills; ++run) {
    ASSERT_LT(run, 20 * kKills) << "runs end before they can be killed";
    // Every fourth kill within the first moments of a run, the others anywhere in it.
    const double most = (run % 4 == 0 ? 0.1 : 1.0) * whole_seconds[on_disk_];
    const auto after = std::chrono::microseconds(static_cast<int>(1e6 * most * (random() % 1000) / 1000.0));
    const std::size_t before = committed_.size();
    const Ended ended = run_and_kill(library_, photos_, log_, after);
    if (ended.killed) {
      ++kills;
      ++kills_of_library_;
    } else {
      ASSERT_EQ(ended.status, 0);
    }
    ASSERT_NO_FATAL_FAILURE(check_after(ended));
    if (committed_.size() > before) ++with_progress;
    if (!ended.killed || committed_.size() == kPictures) {
      const Ended rest = run_and_kill(library_, photos_, log_, std::nullopt);
      ASSERT_EQ(rest.status, 0);
      ASSERT_NO_FATAL_FAILURE(check_after(rest));
      ASSERT_EQ(committed_.size(), kPictures);
      ++completed;
      start_over();
    }
  }
  const Ended last = run_and_kill(library_, photos_, log_, std::nullopt);
  ASSERT_EQ(last.status, 0);
  ASSERT_NO_FATAL_FAILURE(check_after(last));
  ASSERT_EQ(committed_.size(), kPictures);
  // The kills hit runs at work, not only beginnings and ends.
  EXPECT_GE(with_progress, kKills / 10);
  RecordProperty("completed_libraries", completed);
  RecordProperty("kills_after_a_commit", with_progress);
}

}  // namespace
}  // namespace tessera
