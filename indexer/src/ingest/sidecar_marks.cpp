// Marks and tags of new pictures from XMP sidecars.
#include "ingest/sidecar_marks.h"

#include <exception>
#include <string>

#include "curation/journal.h"
#include "tessera/image.h"

namespace tessera::ingest {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{8} << 20;

bool is_marked(curation::Rows& rows, std::int64_t content) {
  catalog::Statement& select = rows.statement(
      "SELECT EXISTS (SELECT 1 FROM marks WHERE content = ?1) OR EXISTS (SELECT 1 FROM content_tags WHERE content = "
      "?1)");
  select.bind(1, content);
  const bool marked = select.step() && select.column_int(0) != 0;
  select.reset();
  return marked;
}

}  // namespace

std::optional<XmpData> sidecar_of(const std::filesystem::path& photo) noexcept {
  try {
    const auto path = find_sidecar(photo);
    if (!path) return std::nullopt;
    const std::vector<std::uint8_t> bytes = read_file(*path, kMostBytes);
    XmpData data = parse_xmp({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path->string());
    if (data == XmpData{}) return std::nullopt;
    return data;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

void import_marks(catalog::Database& db, const ContentHash& hash, const XmpData& data) {
  curation::Rows rows(db);
  const std::int64_t content = rows.content(hash);
  if (is_marked(rows, content)) return;
  if (data.marks != Marks{}) rows.write({curation::StepKind::kMarks, content, 0}, curation::pack_marks(data.marks));
  for (const std::string& tag : data.tags) {
    rows.write({curation::StepKind::kTag, content, rows.tag(tag)}, std::int64_t{1});
  }
  curation::next_generation(rows);
}

}  // namespace tessera::ingest
