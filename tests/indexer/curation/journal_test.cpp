// The journal: long random sequences of changes, undo and redo against snapshots of the whole state.
#include <gmock/gmock.h>

#include <array>

#include "curation_fixture.h"

namespace tessera {
namespace {

using namespace tessera::testing;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Player {
 public:
  Player(const std::filesystem::path& library, unsigned seed)
      : library_(library), curation_(Curation::open(library, OpenMode::kWrite)), random_(seed) {
    states_.push_back(state());
  }

  CurationState state() const { return state_of(curation_, contents_); }

  // One change; true if there was anything to change.
  bool change() {
    const std::size_t before = curation_.journal(100'000).size();
    change_something();
    return curation_.journal(100'000).size() != before;
  }

  void play(int moves) {
    for (int move = 0; move < moves; ++move) {
      if (below(20) == 0) curation_ = Curation::open(library_, OpenMode::kWrite);  // as after a restart
      const unsigned what = below(10);
      if (what < 3) {
        const auto entry = curation_.undo();
        ASSERT_EQ(entry.has_value(), at_ > 0);
        if (at_ > 0) --at_;
      } else if (what < 5) {
        const auto entry = curation_.redo();
        ASSERT_EQ(entry.has_value(), at_ + 1 < states_.size());
        if (entry) ++at_;
      } else if (change()) {
        states_.resize(++at_);
        states_.push_back(state());
        ++changes_;
      }
      ASSERT_EQ(state(), states_[at_]) << "after move " << move;
      ASSERT_EQ(curation_.next_undo().has_value(), at_ > 0);
      ASSERT_EQ(curation_.next_redo().has_value(), at_ + 1 < states_.size());
    }
  }

  void undo_all() {
    while (at_ > 0) {
      ASSERT_TRUE(curation_.undo());
      ASSERT_EQ(state(), states_[--at_]);
    }
    ASSERT_FALSE(curation_.undo());
    ASSERT_EQ(state(), CurationState{});
  }

  int changes() const { return changes_; }

 private:
  unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }

  std::vector<ContentHash> some_contents() {
    std::vector<ContentHash> some;
    for (const ContentHash& content : contents_) {
      if (below(3) == 0) some.push_back(content);
    }
    return some;
  }

  std::vector<std::string> some_tags() {
    std::vector<std::string> some;
    for (const char* name : {"a", "b", "c/d"}) {
      if (below(2) == 0) some.emplace_back(name);
    }
    return some;
  }

  void change_something() {
    const auto collections = curation_.collections();
    const auto some_collection = [&] { return collections[below(static_cast<unsigned>(collections.size()))]; };
    switch (below(collections.empty() ? 6 : 11)) {
      case 0: curation_.set_marks(some_contents(), {.flag = static_cast<Flag>(static_cast<int>(below(3)) - 1)}); break;
      case 1: curation_.set_marks(some_contents(), {.rating = static_cast<int>(below(6))}); break;
      case 2: curation_.set_marks(some_contents(), {.label = static_cast<ColorLabel>(below(6))}); break;
      case 3: curation_.change_tags(some_contents(), some_tags(), some_tags()); break;
      case 4: {
        const ContentHash a = contents_[below(6)], b = contents_[6 + below(6)];
        const auto verdict = below(3) == 0 ? std::nullopt : std::optional(static_cast<Verdict>(1 + below(2)));
        curation_.set_verdicts(std::array{ContentPair{a, b}}, verdict);
        break;
      }
      case 5: {
        const std::string name(1, static_cast<char>('A' + below(4)));
        if (!curation_.find_collection(name)) curation_.create_collection(name);
        break;
      }
      case 6: curation_.add_to_collection(some_collection().id, some_contents()); break;
      case 7: curation_.remove_from_collection(some_collection().id, some_contents()); break;
      case 8: {
        const std::string name(1, static_cast<char>('A' + below(4)));
        if (!curation_.find_collection(name)) curation_.rename_collection(some_collection().id, name);
        break;
      }
      case 9:
        if (below(3) == 0) {
          curation_.remove_collection(some_collection().id);
        } else {
          curation_.order_collection(some_collection().id, some_contents());
        }
        break;
      case 10:
        if (!curation_.tags().empty()) curation_.rename_tag(curation_.tags().front().name, "renamed");
        break;
    }
  }

  const std::filesystem::path library_;
  Curation curation_;
  std::mt19937 random_;
  const std::vector<ContentHash> contents_ = made_up_contents(12);
  std::vector<CurationState> states_;  // of every entry that can be reached
  std::size_t at_ = 0;
  int changes_ = 0;
};

TEST(Journal, RandomUndoAndRedoFollowTheSnapshots) {
  for (unsigned seed = 1; seed <= 4; ++seed) {
    TempDir dir;
    make_library(dir / "library");
    Player player(dir / "library", seed);
    ASSERT_NO_FATAL_FAILURE(player.play(300)) << "seed " << seed;
    ASSERT_NO_FATAL_FAILURE(player.undo_all()) << "seed " << seed;
    EXPECT_GT(player.changes(), 60);
  }
}

TEST(Journal, EntriesSayWhatWasDone) {
  TempDir dir;
  make_library(dir / "library");
  const auto contents = made_up_contents(3);
  Curation curation = Curation::open(dir / "library", OpenMode::kWrite);
  curation.set_marks(contents, {.rating = 4});
  curation.set_marks(std::span(contents).first(1), {.flag = Flag::kReject});
  curation.change_tags(contents, std::array{std::string("cat")}, {});
  ASSERT_THAT(curation.journal(), SizeIs(3));
  EXPECT_EQ(curation.journal()[2].title, "4 stars: 3 pictures");
  EXPECT_EQ(curation.journal()[1].title, "rejected: 1 picture");
  EXPECT_EQ(curation.journal()[0].title, "tag 'cat': 3 pictures");
  EXPECT_GT(curation.journal()[0].time_ns, 1'700'000'000'000'000'000);
  EXPECT_EQ(curation.undo()->title, "tag 'cat': 3 pictures");
  EXPECT_EQ(curation.next_undo()->title, "rejected: 1 picture");
  EXPECT_EQ(curation.next_redo()->title, "tag 'cat': 3 pictures");
  curation.set_marks(contents, {.rating = 1});
  EXPECT_FALSE(curation.next_redo()) << "a new change ends what could be done again";
  ASSERT_THAT(curation.journal(), SizeIs(4));
  EXPECT_EQ(curation.journal()[1].state, EntryState::kDiscarded);
  EXPECT_THAT(curation.journal(1), SizeIs(1));
}

}  // namespace
}  // namespace tessera
