// The pictures of a grid in order, as a model of Qt: rows of a snapshot, with groups and, after a search, with scores.
#pragma once

#include <QAbstractListModel>
#include <memory>
#include <optional>
#include <vector>

#include "app/library_snapshot.h"
#include "browse/arrange.h"
#include "tessera/indexer/search.h"

namespace tessera::gui {

class PictureList : public QAbstractListModel {
  Q_OBJECT

 public:
  enum Roles { kIdRole = Qt::UserRole };

  explicit PictureList(QObject* parent = nullptr);

  // `hits`: one for each row, or empty.
  void show(std::shared_ptr<const LibrarySnapshot> snapshot, Arrangement arrangement, std::vector<SearchHit> hits = {});

  const LibrarySnapshot& snapshot() const { return *snapshot_; }
  int count() const { return static_cast<int>(arrangement_.rows.size()); }
  Row row(int item) const { return arrangement_.rows[static_cast<std::size_t>(item)]; }
  const Picture& picture(int item) const { return (*snapshot_)[row(item)]; }
  ImageId id(int item) const { return picture(item).id; }
  const SearchHit* hit(int item) const;  // null if the list is not the result of a search
  const std::vector<Group>& groups() const { return arrangement_.groups; }
  int groupSize(int group) const;
  std::optional<int> itemOf(ImageId id) const;
  std::vector<ImageId> ids() const;

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  Qt::ItemFlags flags(const QModelIndex& index) const override;
  QStringList mimeTypes() const override;
  // The files, and for this program the pictures.
  QMimeData* mimeData(const QModelIndexList& indexes) const override;
  // Those that mimeData() of a list in this process put in, in the list's order; empty for anything else.
  static std::vector<ImageId> picturesOf(const QMimeData* data);

 private:
  QString description(int item) const;

  std::shared_ptr<const LibrarySnapshot> snapshot_;
  Arrangement arrangement_;
  std::vector<SearchHit> hits_;
  mutable std::vector<int> item_of_row_;  // made when first asked for
};

}  // namespace tessera::gui
