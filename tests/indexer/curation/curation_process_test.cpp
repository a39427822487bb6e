// Curation by several processes at once, beside an index run, and killed in the middle of large changes.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>

#include "curation_fixture.h"

namespace tessera {
namespace {

using namespace tessera::testing;

pid_t start(const std::function<void()>& work) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  int status = 0;
  try {
    work();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "child: %s\n", error.what());
    status = 1;
  }
  ::_exit(status);
}

int wait_for(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST(CurationProcesses, ChangesOfAllAreKeptBesideAnIndexRun) {
  constexpr unsigned kChanges = 60;
  TempDir dir;
  make_library(dir / "library");
  for (unsigned i = 0; i < 40; ++i) write_picture(dir / "photos" / (std::to_string(i) + ".png"), i, 64, 64);
  const auto contents = made_up_contents(4 * kChanges);
  const auto marker = [&](unsigned who) {
    return [&, who] {
      Curation curation = Curation::open(dir / "library", OpenMode::kWrite);
      for (unsigned i = 0; i < kChanges; ++i) {
        const std::array one{contents[who * kChanges + i]};
        curation.set_marks(one, {.rating = static_cast<int>(1 + i % 5)});
        curation.change_tags(one, std::array{"who " + std::to_string(who), std::string("all")}, {});
      }
    };
  };
  const pid_t indexer = start([&] {
    Library library = Library::open(dir / "library", OpenMode::kWrite);
    FakeEncoder encoder;
    encoder.on_image = [](const Image&) { ::usleep(2000); };
    IngestOptions options;
    options.images_per_segment = 2;
    options.batch = 1;
    if (index(library, {dir / "photos"}, encoder, options).encoded != 40) throw std::runtime_error("not all encoded");
  });
  std::vector<pid_t> markers;
  for (unsigned who = 0; who < 4; ++who) markers.push_back(start(marker(who)));
  for (const pid_t child : markers) EXPECT_EQ(wait_for(child), 0);
  EXPECT_EQ(wait_for(indexer), 0);

  Curation curation = Curation::open(dir / "library", OpenMode::kWrite);
  EXPECT_EQ(curation.generation(), 2 * 4 * kChanges);
  EXPECT_EQ(curation.journal(10'000).size(), 2 * 4 * kChanges);
  for (unsigned i = 0; i < 4 * kChanges; ++i) {
    ASSERT_EQ(curation.marks(contents[i]).rating, static_cast<int>(1 + i % kChanges % 5));
    ASSERT_EQ(curation.tags(contents[i]).size(), 2u);
  }
  const Library library = Library::open(dir / "library", OpenMode::kRead);
  EXPECT_EQ(library.stats().images, 40);
  EXPECT_EQ(problems_of(library), std::vector<std::string>());
  while (curation.undo()) {
  }
  EXPECT_EQ(state_of(curation, contents), CurationState{});
}

TEST(CurationProcesses, AKilledChangeIsMadeAsAWholeOrNotAtAll) {
  constexpr int kKills = 25;
  constexpr unsigned kContents = 3000;
  TempDir dir;
  make_library(dir / "library");
  const auto contents = made_up_contents(kContents);
  const auto begin = std::chrono::steady_clock::now();
  Curation::open(dir / "library", OpenMode::kWrite).set_marks(contents, {.flag = Flag::kPick});
  const auto of_one_change =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin).count();
  std::mt19937 random(7);
  int before_any = 0, between = 0;
  for (int kill = 0; kill < kKills; ++kill) {
    const std::int64_t entries =
        static_cast<std::int64_t>(Curation::open(dir / "library", OpenMode::kRead).journal(100'000).size());
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = start([&] {
      Curation curation = Curation::open(dir / "library", OpenMode::kWrite);
      if (::write(ready[1], "r", 1) != 1) ::_exit(2);
      for (int i = 0;; ++i) curation.set_marks(contents, {.rating = 1 + (kill + i) % 5});
    });
    char byte = 0;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    ::close(ready[0]);
    ::close(ready[1]);
    ::usleep(static_cast<useconds_t>(random() % static_cast<unsigned>(3 * of_one_change)));
    ::kill(child, SIGKILL);
    ASSERT_EQ(wait_for(child), 128 + SIGKILL);

    Curation curation = Curation::open(dir / "library", OpenMode::kWrite);
    const int rating = curation.marks(contents[0]).rating;
    for (const ContentHash& content : contents) ASSERT_EQ(curation.marks(content).rating, rating) << "kill " << kill;
    const auto journal = curation.journal(100'000);
    (static_cast<std::int64_t>(journal.size()) == entries ? before_any : between) += 1;
    if (journal.size() > 1) {
      ASSERT_EQ(journal[0].state, EntryState::kDone);
      ASSERT_EQ(journal[0].title, std::to_string(rating) + (rating == 1 ? " star" : " stars") + ": 3000 pictures");
    }
  }
  EXPECT_GT(between, kKills / 4) << "kills hit changes, not only what is before them";
  const Library library = Library::open(dir / "library", OpenMode::kWrite);
  EXPECT_EQ(problems_of(library), std::vector<std::string>());
  RecordProperty("killed_before_the_first_change", before_any);
}

}  // namespace
}  // namespace tessera
