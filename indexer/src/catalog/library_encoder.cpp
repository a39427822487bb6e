// Library: its roots, and another encoder for the same pictures.
#include <system_error>

#include "catalog/library_impl.h"
#include "tessera/error.h"

namespace tessera {

std::vector<std::filesystem::path> Library::roots() const { return impl_->catalog->root_paths(); }

// Pictures without tokens are failures to the catalog; this code says that nothing is wrong with the file.
std::int64_t Library::change_encoder(const LibraryEncoder& encoder) {
  impl_->require_writer();
  check_segment_spec(segment_spec_of(encoder));
  catalog::Catalog& catalog = *impl_->catalog;
  catalog::Transaction transaction(catalog.db(), catalog::Transaction::Kind::kWrite);
  catalog.db()
      .prepare(
          "UPDATE images SET segment = NULL, row = NULL, token_count = 0, error = ?1, error_code = ?2 "
          "WHERE segment IS NOT NULL")
      .bind_text(1, "it is to be read again for another model")
      .bind_text(2, error_code_name(ErrorCode::kModelMismatch))
      .run();
  const std::int64_t changed = catalog.db().query_int("SELECT changes()");
  catalog.db().execute("DELETE FROM segments");
  catalog.set_encoder(encoder);
  transaction.commit();
  std::error_code ignored;
  std::filesystem::remove(impl_->coarse_path(), ignored);
  impl_->remove_unnamed_segments();
  refresh();
  return changed;
}

}  // namespace tessera
