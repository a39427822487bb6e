// Curation: opening, marks, verdicts, undo and redo.
#include "tessera/indexer/curation.h"

#include <algorithm>
#include <map>
#include <system_error>
#include <utility>

#include "catalog/catalog.h"
#include "catalog/paths.h"
#include "curation/curation_impl.h"
#include "curation/file_steps.h"
#include "tessera/error.h"
#include "tessera/text.h"

namespace tessera {
namespace {

using curation::Change;
using curation::StepKind;

constexpr std::size_t kMostNameBytes = 256;

catalog::Catalog open_for(const std::filesystem::path& dir, OpenMode mode) {
  const std::filesystem::path path = dir / catalog::kCatalogName;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    throw Error(ErrorCode::kNotFound, "there is no Tessera library in " + dir.string());
  }
  return catalog::Catalog(
      path, mode == OpenMode::kRead ? catalog::Database::Access::kRead : catalog::Database::Access::kWrite);
}

Marks changed_marks(Marks marks, const MarkChange& change) {
  if (change.flag) marks.flag = *change.flag;
  if (change.rating) marks.rating = *change.rating;
  if (change.label) marks.label = *change.label;
  return marks;
}

std::string marks_title(const MarkChange& change, std::int64_t count) {
  std::string text;
  const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (change.flag) add(*change.flag == Flag::kNone ? "no flag" : *change.flag == Flag::kPick ? "picked" : "rejected");
  if (change.rating) add(*change.rating == 1 ? "1 star" : std::to_string(*change.rating) + " stars");
  if (change.label) add(*change.label == ColorLabel::kNone ? "no label" : std::string(label_name(*change.label)));
  return text + ": " + curation::pictures_text(count);
}

}  // namespace

namespace curation {

std::string pictures_text(std::int64_t count) {
  return std::to_string(count) + (count == 1 ? " picture" : " pictures");
}

void check_name(std::string_view name, const char* what) {
  const bool controls =
      std::any_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; });
  if (name.empty() || name.size() > kMostNameBytes || controls || !is_valid_utf8(name) || name.front() == ' ' ||
      name.back() == ' ') {
    throw Error(ErrorCode::kInvalidArgument,
                "'" + to_valid_utf8(name.substr(0, kMostNameBytes)) + "' cannot be the name of a " + what +
                    ": it must be 1 to 256 bytes of UTF-8 without control characters and without spaces at its ends");
  }
}

}  // namespace curation

Curation::Impl::Impl(const std::filesystem::path& library_dir, OpenMode how)
    : dir(catalog::stored_path(library_dir)), mode(how), catalog(open_for(dir, how)), db(catalog.db()), rows(db) {
  if (mode != OpenMode::kRead) curation::reconcile(*this);
}

void Curation::Impl::require_writer() const {
  if (mode == OpenMode::kRead)
    throw Error(ErrorCode::kReadOnly, "library " + dir.string() + " is open for reading only");
}

std::optional<JournalEntry> Curation::Impl::replay_next(curation::Direction direction) {
  require_writer();
  const bool undo = direction == curation::Direction::kUndo;
  std::optional<catalog::Transaction> transaction(std::in_place, db, catalog::Transaction::Kind::kWrite);
  auto entry = undo ? curation::last_done(rows) : curation::first_undone(rows);
  if (!entry) return std::nullopt;
  if (curation::has_file_steps(rows, entry->id)) {
    transaction.reset();
    curation::replay_files(*this, *entry, direction);
    return entry;
  }
  curation::replay(rows, entry->id, direction);
  curation::set_entry_state(rows, entry->id, undo ? EntryState::kUndone : EntryState::kDone);
  curation::next_generation(rows);
  transaction->commit();
  return entry;
}

Curation::Curation(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Curation::Curation(Curation&&) noexcept = default;
Curation& Curation::operator=(Curation&&) noexcept = default;
Curation::~Curation() = default;

Curation Curation::open(const std::filesystem::path& library_dir, OpenMode mode) {
  return Curation(std::make_unique<Impl>(library_dir, mode));
}

std::int64_t Curation::generation() const { return curation::generation(impl_->rows); }

std::int64_t Curation::set_marks(std::span<const ContentHash> contents, const MarkChange& change) {
  impl_->require_writer();
  if (change.rating && (*change.rating < 0 || *change.rating > kMostStars)) {
    throw Error(ErrorCode::kInvalidArgument, "a rating is 0 to 5 stars, not " + std::to_string(*change.rating));
  }
  Change transaction(impl_->rows);
  std::int64_t count = 0;
  for (const ContentHash& hash : contents) {
    const curation::Cell cell{StepKind::kMarks, impl_->rows.content(hash), 0};
    const curation::Value before = impl_->rows.read(cell);
    const auto* packed = std::get_if<std::int64_t>(&before);
    const Marks marks = changed_marks(packed != nullptr ? curation::unpack_marks(*packed) : Marks{}, change);
    const curation::Value after = marks == Marks{} ? curation::Value() : curation::Value(curation::pack_marks(marks));
    if (transaction.set(cell, after)) ++count;
  }
  transaction.commit(marks_title(change, count));
  return count;
}

Marks Curation::marks(const ContentHash& content) const {
  const auto id = impl_->rows.find_content(content);
  if (!id) return {};
  const curation::Value value = impl_->rows.read({StepKind::kMarks, *id, 0});
  const auto* packed = std::get_if<std::int64_t>(&value);
  return packed != nullptr ? curation::unpack_marks(*packed) : Marks{};
}

std::vector<PictureMarks> Curation::picture_marks() const {
  const catalog::Transaction snapshot(impl_->db, catalog::Transaction::Kind::kRead);
  std::map<ImageId, PictureMarks> found;
  catalog::Statement& marks = impl_->rows.statement(
      "SELECT i.id, m.flag, m.rating, m.label FROM marks m JOIN contents c ON c.id = m.content "
      "JOIN images i ON i.hash = c.hash AND i.bytes = c.bytes");
  while (marks.step()) {
    const ImageId id = marks.column_int(0);
    found[id] = {id,
                 {static_cast<Flag>(marks.column_int(1)), static_cast<int>(marks.column_int(2)),
                  static_cast<ColorLabel>(marks.column_int(3))},
                 {}};
  }
  marks.reset();
  catalog::Statement& tags = impl_->rows.statement(
      "SELECT i.id, t.tag FROM content_tags t JOIN contents c ON c.id = t.content "
      "JOIN images i ON i.hash = c.hash AND i.bytes = c.bytes ORDER BY t.tag");
  while (tags.step()) {
    PictureMarks& picture = found[tags.column_int(0)];
    picture.id = tags.column_int(0);
    picture.tags.push_back(tags.column_int(1));
  }
  tags.reset();
  std::vector<PictureMarks> pictures;
  pictures.reserve(found.size());
  for (auto& [id, picture] : found) pictures.push_back(std::move(picture));
  return pictures;
}

std::int64_t Curation::set_verdicts(std::span<const ContentPair> pairs, std::optional<Verdict> verdict) {
  impl_->require_writer();
  Change transaction(impl_->rows);
  std::int64_t count = 0;
  for (const ContentPair& pair : pairs) {
    if (pair.a == pair.b) throw Error(ErrorCode::kInvalidArgument, "a verdict needs two different contents");
    const auto [a, b] = std::minmax({impl_->rows.content(pair.a), impl_->rows.content(pair.b)});
    const curation::Value value = verdict ? curation::Value(static_cast<std::int64_t>(*verdict)) : curation::Value();
    if (transaction.set({StepKind::kVerdict, a, b}, value)) ++count;
  }
  const std::string text = !verdict                             ? "verdict taken back"
                           : *verdict == Verdict::kNotDuplicate ? "not a duplicate"
                                                                : "duplicate";
  transaction.commit(text + ": " + std::to_string(count) + (count == 1 ? " pair" : " pairs"));
  return count;
}

std::optional<Verdict> Curation::verdict(const ContentHash& a, const ContentHash& b) const {
  const auto one = impl_->rows.find_content(a);
  const auto other = impl_->rows.find_content(b);
  if (!one || !other) return std::nullopt;
  const curation::Value value = impl_->rows.read({StepKind::kVerdict, std::min(*one, *other), std::max(*one, *other)});
  const auto* number = std::get_if<std::int64_t>(&value);
  return number != nullptr ? std::optional(static_cast<Verdict>(*number)) : std::nullopt;
}

std::vector<PairVerdict> Curation::verdicts() const {
  catalog::Statement& select = impl_->rows.statement(
      "SELECT x.hash, x.bytes, y.hash, y.bytes, v.verdict FROM verdicts v JOIN contents x ON x.id = v.a "
      "JOIN contents y ON y.id = v.b ORDER BY v.a, v.b");
  std::vector<PairVerdict> found;
  while (select.step()) {
    found.push_back({{curation::column_content(select, 0, 1), curation::column_content(select, 2, 3)},
                     static_cast<Verdict>(select.column_int(4))});
  }
  select.reset();
  return found;
}

std::optional<JournalEntry> Curation::undo() { return impl_->replay_next(curation::Direction::kUndo); }

std::optional<JournalEntry> Curation::redo() { return impl_->replay_next(curation::Direction::kRedo); }

std::optional<JournalEntry> Curation::next_undo() const { return curation::last_done(impl_->rows); }
std::optional<JournalEntry> Curation::next_redo() const { return curation::first_undone(impl_->rows); }
std::vector<JournalEntry> Curation::journal(std::size_t most) const { return curation::entries(impl_->rows, most); }

}  // namespace tessera
