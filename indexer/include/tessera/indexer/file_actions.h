// What a person does with files: trash, restore, copy, move, link. Nothing is deleted: what goes, goes to the trash
// (freedesktop.org Trash specification 1.0), and every action is in the journal, which Curation::undo() takes back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "tessera/error.h"
#include "tessera/indexer/curation.h"

namespace tessera {

struct ActionFailure {
  std::filesystem::path path;
  ErrorCode code = ErrorCode::kIo;
  std::string reason;
};

struct ActionReport {
  JournalId entry = 0;  // 0 = nothing was done
  std::int64_t done = 0;
  std::vector<std::filesystem::path> results;  // where the files are now, in order
  std::vector<ActionFailure> failed;
};

// A file that may go because a picture that is kept stands for it.
struct DuplicateFile {
  std::filesystem::path file;
  ContentHash kept;  // the same content (a copy) or another one (a near copy)
};

struct TrashedFile {
  std::int64_t id = 0;
  std::filesystem::path path;   // where it was
  std::filesystem::path place;  // where it lies in the trash
  ContentHash content;
  std::int64_t time_ns = 0;
  bool in_place = true;  // false: the trash was emptied
};

enum class Transfer { kCopy, kMove, kSymlink };

using ActionObserver = std::function<void(std::int64_t done, std::int64_t total)>;

// Each call is one entry of the journal, written before the first file is touched; if the process dies, the next
// Curation that is opened for writing finds out how far it came. Files that cannot be handled are rows of the report.
// One process acts at a time (kBusy). The catalog follows: a moved file keeps everything, a trashed one is `missing`
// with FileRecord::trashed until it is restored.
// Thread rule: as the Curation given, which must be open for writing and outlive this.
class FileActions {
 public:
  explicit FileActions(Curation& curation) : curation_(curation) {}

  // By explicit choice: also the last file of a picture, but only to the trash.
  ActionReport trash(std::span<const std::filesystem::path> files, const ActionObserver& observer = {},
                     std::stop_token stop = {});
  // Only files that have not changed since they were indexed, and only while another file of the kept content, not in
  // this list and not the same file by another name, is there, can be read now and has that content.
  ActionReport trash_duplicates(std::span<const DuplicateFile> files, const ActionObserver& observer = {},
                                std::stop_token stop = {});

  // Files that Tessera put into the trash, latest first.
  std::vector<TrashedFile> trashed() const;
  // Back to where they were; a file that is there meanwhile is never replaced.
  ActionReport restore(std::span<const std::int64_t> trashed_ids);

  // Into a folder, which is made if it is not there. Names that are taken get a number ("a 2.jpg").
  ActionReport transfer(std::span<const std::filesystem::path> files, const std::filesystem::path& folder, Transfer how,
                        const ActionObserver& observer = {}, std::stop_token stop = {});

 private:
  Curation& curation_;
};

}  // namespace tessera
