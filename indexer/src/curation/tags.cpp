// Curation: tags.
#include <string>
#include <vector>

#include "curation/curation_impl.h"
#include "tessera/error.h"

namespace tessera {
namespace {

using curation::Change;
using curation::StepKind;
using curation::Value;

std::string joined(std::span<const std::string> names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "'" : ", '") + name + "'";
  return text;
}

std::string tags_title(std::span<const std::string> add, std::span<const std::string> remove, std::int64_t count) {
  std::string text;
  if (!add.empty()) text = "tag " + joined(add);
  if (!remove.empty()) text += (text.empty() ? "without tag " : ", without ") + joined(remove);
  return text + ": " + curation::pictures_text(count);
}

std::vector<std::int64_t> contents_with(curation::Rows& rows, std::int64_t tag) {
  catalog::Statement& select = rows.statement("SELECT content FROM content_tags WHERE tag = ?1 ORDER BY content");
  select.bind(1, tag);
  std::vector<std::int64_t> contents;
  while (select.step()) contents.push_back(select.column_int(0));
  select.reset();
  return contents;
}

}  // namespace

std::int64_t Curation::change_tags(std::span<const ContentHash> contents, std::span<const std::string> add,
                                   std::span<const std::string> remove) {
  impl_->require_writer();
  for (const auto& names : {add, remove}) {
    for (const std::string& name : names) curation::check_name(name, "tag");
  }
  Change transaction(impl_->rows);
  std::vector<std::int64_t> added, removed;
  for (const std::string& name : add) added.push_back(impl_->rows.tag(name));
  for (const std::string& name : remove) removed.push_back(impl_->rows.tag(name));
  std::int64_t count = 0;
  for (const ContentHash& hash : contents) {
    const std::int64_t content = impl_->rows.content(hash);
    bool changed = false;
    for (const std::int64_t tag : removed) changed |= transaction.set({StepKind::kTag, content, tag}, Value());
    for (const std::int64_t tag : added) {
      changed |= transaction.set({StepKind::kTag, content, tag}, Value(std::int64_t{1}));
    }
    if (changed) ++count;
  }
  transaction.commit(tags_title(add, remove, count));
  return count;
}

std::int64_t Curation::rename_tag(std::string_view from, std::string_view to) {
  impl_->require_writer();
  curation::check_name(to, "tag");
  Change transaction(impl_->rows);
  const std::int64_t old_tag = impl_->rows.tag(from);
  const std::vector<std::int64_t> contents = contents_with(impl_->rows, old_tag);
  if (contents.empty()) throw Error(ErrorCode::kNotFound, "no picture has the tag '" + std::string(from) + "'");
  if (from == to) return 0;
  const std::int64_t new_tag = impl_->rows.tag(to);
  for (const std::int64_t content : contents) {
    transaction.set({StepKind::kTag, content, old_tag}, Value());
    transaction.set({StepKind::kTag, content, new_tag}, Value(std::int64_t{1}));
  }
  const auto count = static_cast<std::int64_t>(contents.size());
  transaction.commit("tag '" + std::string(from) + "' renamed to '" + std::string(to) +
                     "': " + curation::pictures_text(count));
  return count;
}

std::vector<std::string> Curation::tags(const ContentHash& content) const {
  catalog::Statement& select = impl_->rows.statement(
      "SELECT t.name FROM content_tags x JOIN tags t ON t.id = x.tag WHERE x.content = ?1 ORDER BY t.name");
  std::vector<std::string> names;
  const auto id = impl_->rows.find_content(content);
  if (!id) return names;
  select.bind(1, *id);
  while (select.step()) names.push_back(select.column_string(0));
  select.reset();
  return names;
}

std::vector<Tag> Curation::tags() const {
  catalog::Statement& select = impl_->rows.statement(
      "SELECT t.id, t.name, count(*) FROM tags t JOIN content_tags x ON x.tag = t.id GROUP BY t.id ORDER BY t.name");
  std::vector<Tag> found;
  while (select.step()) found.push_back({select.column_int(0), select.column_string(1), select.column_int(2)});
  select.reset();
  return found;
}

}  // namespace tessera
