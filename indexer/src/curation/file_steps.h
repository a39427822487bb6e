// File actions as steps of the journal: planned, done, taken back, and reconciled after a crash.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/writer_lock.h"
#include "curation/curation_impl.h"
#include "tessera/indexer/file_actions.h"

namespace tessera::curation {

// journal_steps.kind from here on; the others are in StepKind.
enum class FileStepKind { kTrash = 10, kMove = 11, kCopy = 12, kSymlink = 13, kRestore = 14 };

// journal_steps.done
enum class StepState { kPlanned = 0, kDone = 1, kFailed = 2 };

struct FileStep {
  std::int64_t step = 0;
  FileStepKind kind = FileStepKind::kTrash;
  std::int64_t content = 0;    // 0 = unknown
  std::filesystem::path from;  // journal_steps.before
  std::filesystem::path to;    // journal_steps.after; of kTrash the place in the trash, of kRestore `from` is that
  std::filesystem::path info;  // journal_steps.detail: the .trashinfo
  StepState state = StepState::kPlanned;
  bool companion = false;  // goes with the step before it and is not counted; not stored
};

bool is_file_step(std::int64_t kind) noexcept;
bool has_file_steps(Rows& rows, JournalId entry);

// Held while files are touched. Throws kBusy.
catalog::WriterLock lock_actions(const std::filesystem::path& library_dir);

// An entry in state kRunning with these steps, committed.
JournalId plan_entry(Curation::Impl& curation, std::string_view title, const std::vector<FileStep>& steps);
// Does one planned step on disk, or takes a done one back. Throws what goes wrong; then nothing has happened.
void perform(FileStep& step);
void take_back(FileStep& step);
// Commits what became of the steps, brings the catalog and the list of the trash up to date, and sets the entry's
// state.
void settle_entry(Curation::Impl& curation, JournalId entry, const std::vector<FileStep>& steps, EntryState state,
                  std::string_view title = {});

std::vector<FileStep> read_steps(Rows& rows, JournalId entry);

// The sidecar that went to the trash together with the file that lies in this place.
std::optional<FileStep> trashed_sidecar(Rows& rows, const std::filesystem::path& place);

// Undo or redo of an entry with file steps. What could not be done is told in JournalEntry::problems.
void replay_files(Curation::Impl& curation, JournalEntry& entry, Direction direction);

// Entries whose process died: looks at the files and settles them. Does nothing while another process acts.
void reconcile(Curation::Impl& curation);

}  // namespace tessera::curation
