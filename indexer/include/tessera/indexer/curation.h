// What a person decides about pictures: flags, stars, colour labels, tags, collections, verdicts on pairs, and the
// journal that undoes and redoes it all.
//
// Everything belongs to contents, not to files or catalog rows: it stays when files move, are forgotten (`rm`) or are
// indexed anew with another model.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tessera/indexer/library.h"
#include "tessera/indexer/marks.h"
#include "tessera/indexer/types.h"

namespace tessera {

// What is to change; the rest stays.
struct MarkChange {
  std::optional<Flag> flag = {};
  std::optional<int> rating = {};
  std::optional<ColorLabel> label = {};
};

using TagId = std::int64_t;
using CollectionId = std::int64_t;
using JournalId = std::int64_t;

// A tag is there as long as a picture has it. "Places/Vienna" is below "Places".
struct Tag {
  TagId id = 0;
  std::string name;           // UTF-8 without control characters, 1..256 bytes
  std::int64_t contents = 0;  // that have it, also those whose files are forgotten
};

struct PictureMarks {
  ImageId id = 0;
  Marks marks;
  std::vector<TagId> tags;  // ascending
};

enum class CollectionKind {
  kManual,       // pictures put into it, in an order of their own
  kSavedSearch,  // `search` says what it holds
};

struct Collection {
  CollectionId id = 0;
  std::string name;  // as for tags; no two have the same
  CollectionKind kind = CollectionKind::kManual;
  std::string search;         // saved_search.h
  std::int64_t contents = 0;  // of kManual, also those whose files are forgotten
};

enum class Verdict { kNotDuplicate = 1, kDuplicate = 2 };

struct ContentPair {  // unordered
  ContentHash a;
  ContentHash b;
};

struct PairVerdict {
  ContentPair pair;
  Verdict verdict = Verdict::kNotDuplicate;
};

enum class EntryState {
  kDone,
  kUndone,     // redo() does it again
  kDiscarded,  // was undone when something else was done
  kRunning,    // a file action under way, or one that was killed and is to be reconciled
  kFailed,     // a file action of which nothing was done
};

struct JournalEntry {
  JournalId id = 0;
  std::int64_t time_ns = 0;  // since 1970
  std::string title;         // "5 stars for 3 pictures"
  EntryState state = EntryState::kDone;
  std::vector<std::string> problems = {};  // of undo() and redo(): files that could not be handled, and why
};

// Thread rule: one Curation object is used by one thread at a time; several objects on one library, in one process or
// many, are fine, also while a run indexes into it: each change is one short transaction of its own, not under the
// writer's lock, and everybody reads it at once. A change waits up to five seconds for others, then throws kBusy; it
// is made as a whole or, if the process dies, not at all.
// Contents need not be of the library. Those that could not be read (ContentHash{}) throw kInvalidArgument.
class Curation {
 public:
  // kRead or kWrite; kWrite brings an older library up to date. Throws as Library::open(), but never for the writer's
  // lock.
  static Curation open(const std::filesystem::path& library_dir, OpenMode mode);
  Curation(Curation&&) noexcept;
  Curation& operator=(Curation&&) noexcept;
  ~Curation();

  // A number that grows with every change, by whomever. Costs microseconds.
  std::int64_t generation() const;

  // Each change is one entry of the journal; none is made where nothing changes. They return how many contents (pairs)
  // did, and throw kReadOnly if the library was opened with kRead.
  std::int64_t set_marks(std::span<const ContentHash> contents, const MarkChange& change);
  std::int64_t change_tags(std::span<const ContentHash> contents, std::span<const std::string> add,
                           std::span<const std::string> remove);
  std::int64_t rename_tag(std::string_view from, std::string_view to);  // joins `to` if it is there; kNotFound
  std::int64_t set_verdicts(std::span<const ContentPair> pairs, std::optional<Verdict> verdict);

  Marks marks(const ContentHash& content) const;
  std::vector<std::string> tags(const ContentHash& content) const;  // in order of name
  std::vector<Tag> tags() const;                                    // all, in order of name
  std::vector<PictureMarks> picture_marks() const;                  // pictures of the library with any mark or tag

  std::optional<Verdict> verdict(const ContentHash& a, const ContentHash& b) const;
  std::vector<PairVerdict> verdicts() const;

  // Collections. Names that are taken throw kInvalidArgument, ids that are not there kNotFound.
  CollectionId create_collection(std::string_view name, CollectionKind kind = CollectionKind::kManual,
                                 std::string_view search = {});
  CollectionId create_collection(std::string_view name, std::span<const ContentHash> contents);  // with these in it
  void rename_collection(CollectionId id, std::string_view name);
  void set_collection_search(CollectionId id, std::string_view search);
  void remove_collection(CollectionId id);
  std::int64_t add_to_collection(CollectionId id, std::span<const ContentHash> contents);  // at the end
  std::int64_t remove_from_collection(CollectionId id, std::span<const ContentHash> contents);
  // Members in the order given come first, the others after them as they were.
  void order_collection(CollectionId id, std::span<const ContentHash> contents);

  std::vector<Collection> collections() const;  // in order of name
  std::optional<Collection> find_collection(std::string_view name) const;
  std::vector<ContentHash> collection_contents(CollectionId id) const;
  std::vector<ImageId> collection_images(CollectionId id) const;  // those in the library, in the collection's order

  // Undo takes back the latest entry that is done, redo does the latest that was undone again; none if there is none.
  // The state survives restarts and is the same for all who have the library open. File actions are taken back on disk;
  // where nothing of one could be, it throws and the entry stays.
  std::optional<JournalEntry> undo();
  std::optional<JournalEntry> redo();
  std::optional<JournalEntry> next_undo() const;
  std::optional<JournalEntry> next_redo() const;
  std::vector<JournalEntry> journal(std::size_t most = 100) const;  // latest first

  struct Impl;  // for the library's own sources
  Impl& impl() { return *impl_; }

 private:
  explicit Curation(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tessera
