// Curation: collections.
#include <algorithm>
#include <string>
#include <unordered_set>
#include <vector>

#include "curation/curation_impl.h"
#include "tessera/error.h"

namespace tessera {
namespace {

using curation::Change;
using curation::StepKind;
using curation::Value;

constexpr const char* kSelectCollections =
    "SELECT c.id, c.name, c.kind, c.search, (SELECT count(*) FROM collection_items x WHERE x.collection = c.id) "
    "FROM collections c WHERE c.name IS NOT NULL AND (?1 IS NULL OR c.name = ?1) ORDER BY c.name";

std::vector<Collection> read_collections(catalog::Statement& select) {
  std::vector<Collection> found;
  while (select.step()) {
    found.push_back({select.column_int(0), select.column_string(1), static_cast<CollectionKind>(select.column_int(2)),
                     select.column_string(3), select.column_int(4)});
  }
  select.reset();
  return found;
}

std::string name_of(curation::Rows& rows, CollectionId id) {
  const Value name = rows.read({StepKind::kCollectionName, id, 0});
  return std::get<std::string>(name);
}

struct Member {
  std::int64_t content = 0;
  std::int64_t position = 0;
};

std::vector<Member> members_of(curation::Rows& rows, CollectionId id) {
  catalog::Statement& select =
      rows.statement("SELECT content, position FROM collection_items WHERE collection = ?1 ORDER BY position, content");
  select.bind(1, id);
  std::vector<Member> members;
  while (select.step()) members.push_back({select.column_int(0), select.column_int(1)});
  select.reset();
  return members;
}

// At the end, those that are not in it yet; how many.
std::int64_t add_members(curation::Rows& rows, Change& transaction, CollectionId id,
                         std::span<const ContentHash> contents) {
  const std::vector<Member> members = members_of(rows, id);
  std::int64_t position = members.empty() ? 0 : members.back().position;
  std::int64_t count = 0;
  for (const ContentHash& hash : contents) {
    const curation::Cell cell{StepKind::kMember, rows.content(hash), id};
    if (!std::holds_alternative<std::monostate>(rows.read(cell))) continue;
    transaction.set(cell, Value(++position));
    ++count;
  }
  return count;
}

}  // namespace

CollectionId Curation::Impl::existing_collection(CollectionId id) {
  const Value name = rows.read({StepKind::kCollectionName, id, 0});
  if (std::holds_alternative<std::string>(name)) return id;
  throw Error(ErrorCode::kNotFound, "library " + dir.string() + " has no collection " + std::to_string(id));
}

void Curation::Impl::require_free_name(std::string_view name) {
  curation::check_name(name, "collection");
  catalog::Statement& select = rows.statement("SELECT 1 FROM collections WHERE name = ?1");
  const bool taken = select.bind_text(1, name).step();
  select.reset();
  if (taken) throw Error(ErrorCode::kInvalidArgument, "there is a collection '" + std::string(name) + "' already");
}

CollectionId Curation::Impl::insert_collection(Change& transaction, std::string_view name, CollectionKind kind,
                                               std::string_view search) {
  require_free_name(name);
  rows.statement("INSERT INTO collections (name, kind, search) VALUES (NULL, ?1, ?2)")
      .bind(1, static_cast<int>(kind))
      .bind_text(2, search)
      .run();
  const CollectionId id = db.last_insert_id();
  transaction.set({StepKind::kCollectionName, id, 0}, Value(std::string(name)));
  return id;
}

CollectionId Curation::create_collection(std::string_view name, CollectionKind kind, std::string_view search) {
  impl_->require_writer();
  Change transaction(impl_->rows);
  const CollectionId id = impl_->insert_collection(transaction, name, kind, search);
  transaction.commit("new collection '" + std::string(name) + "'");
  return id;
}

CollectionId Curation::create_collection(std::string_view name, std::span<const ContentHash> contents) {
  impl_->require_writer();
  Change transaction(impl_->rows);
  const CollectionId id = impl_->insert_collection(transaction, name, CollectionKind::kManual, {});
  const std::int64_t count = add_members(impl_->rows, transaction, id, contents);
  transaction.commit("new collection '" + std::string(name) + "' with " + curation::pictures_text(count));
  return id;
}

void Curation::rename_collection(CollectionId id, std::string_view name) {
  impl_->require_writer();
  Change transaction(impl_->rows);
  const std::string before = name_of(impl_->rows, impl_->existing_collection(id));
  if (before == name) return;
  impl_->require_free_name(name);
  transaction.set({StepKind::kCollectionName, id, 0}, Value(std::string(name)));
  transaction.commit("collection '" + before + "' renamed to '" + std::string(name) + "'");
}

void Curation::set_collection_search(CollectionId id, std::string_view search) {
  impl_->require_writer();
  Change transaction(impl_->rows);
  transaction.set({StepKind::kCollectionSearch, impl_->existing_collection(id), 0}, Value(std::string(search)));
  transaction.commit("search of collection '" + name_of(impl_->rows, id) + "' changed");
}

void Curation::remove_collection(CollectionId id) {
  impl_->require_writer();
  Change transaction(impl_->rows);
  const std::string name = name_of(impl_->rows, impl_->existing_collection(id));
  transaction.set({StepKind::kCollectionName, id, 0}, Value());
  transaction.commit("collection '" + name + "' removed");
}

std::int64_t Curation::add_to_collection(CollectionId id, std::span<const ContentHash> contents) {
  impl_->require_writer();
  Change transaction(impl_->rows);
  const std::int64_t count = add_members(impl_->rows, transaction, impl_->existing_collection(id), contents);
  transaction.commit("into collection '" + name_of(impl_->rows, id) + "': " + curation::pictures_text(count));
  return count;
}

std::int64_t Curation::remove_from_collection(CollectionId id, std::span<const ContentHash> contents) {
  impl_->require_writer();
  Change transaction(impl_->rows);
  impl_->existing_collection(id);
  std::int64_t count = 0;
  for (const ContentHash& hash : contents) {
    if (transaction.set({StepKind::kMember, impl_->rows.content(hash), id}, Value())) ++count;
  }
  transaction.commit("out of collection '" + name_of(impl_->rows, id) + "': " + curation::pictures_text(count));
  return count;
}

void Curation::order_collection(CollectionId id, std::span<const ContentHash> contents) {
  impl_->require_writer();
  Change transaction(impl_->rows);
  const std::vector<Member> members = members_of(impl_->rows, impl_->existing_collection(id));
  std::unordered_set<std::int64_t> left;
  for (const Member& member : members) left.insert(member.content);
  std::vector<std::int64_t> order;
  for (const ContentHash& hash : contents) {
    const auto content = impl_->rows.find_content(hash);
    if (content && left.erase(*content) > 0) order.push_back(*content);
  }
  for (const Member& member : members) {
    if (left.contains(member.content)) order.push_back(member.content);
  }
  for (std::size_t i = 0; i < order.size(); ++i) {
    transaction.set({StepKind::kMember, order[i], id}, Value(static_cast<std::int64_t>(i + 1)));
  }
  transaction.commit("order of collection '" + name_of(impl_->rows, id) + "' changed");
}

std::vector<Collection> Curation::collections() const {
  return read_collections(impl_->rows.statement(kSelectCollections).bind_null(1));
}

std::optional<Collection> Curation::find_collection(std::string_view name) const {
  auto found = read_collections(impl_->rows.statement(kSelectCollections).bind_text(1, name));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

std::vector<ContentHash> Curation::collection_contents(CollectionId id) const {
  catalog::Statement& select = impl_->rows.statement(
      "SELECT c.hash, c.bytes FROM collection_items x JOIN contents c ON c.id = x.content WHERE x.collection = ?1 "
      "ORDER BY x.position, x.content");
  select.bind(1, impl_->existing_collection(id));
  std::vector<ContentHash> contents;
  while (select.step()) contents.push_back(curation::column_content(select, 0, 1));
  select.reset();
  return contents;
}

std::vector<ImageId> Curation::collection_images(CollectionId id) const {
  catalog::Statement& select = impl_->rows.statement(
      "SELECT i.id FROM collection_items x JOIN contents c ON c.id = x.content "
      "JOIN images i ON i.hash = c.hash AND i.bytes = c.bytes WHERE x.collection = ?1 ORDER BY x.position, x.content");
  select.bind(1, impl_->existing_collection(id));
  std::vector<ImageId> images;
  while (select.step()) images.push_back(select.column_int(0));
  select.reset();
  return images;
}

}  // namespace tessera
