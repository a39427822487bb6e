// The pictures of a grid in order, as a model of Qt.
#include "browse/picture_list.h"

#include <QCoreApplication>
#include <QDataStream>
#include <QDateTime>
#include <QFile>
#include <QLocale>
#include <QMimeData>
#include <QUrl>
#include <algorithm>
#include <cmath>

#include "app/count_text.h"

namespace tessera::gui {
namespace {

// Ids mean something only within one library, so the process is part of it.
const QString kPictures = QStringLiteral("application/x-tessera-pictures");

}  // namespace

PictureList::PictureList(QObject* parent)
    : QAbstractListModel(parent), snapshot_(std::make_shared<LibrarySnapshot>()) {}

void PictureList::show(std::shared_ptr<const LibrarySnapshot> snapshot, Arrangement arrangement,
                       std::vector<SearchHit> hits) {
  beginResetModel();
  snapshot_ = std::move(snapshot);
  arrangement_ = std::move(arrangement);
  hits_ = std::move(hits);
  item_of_row_.clear();
  endResetModel();
}

const SearchHit* PictureList::hit(int item) const {
  return hits_.empty() ? nullptr : &hits_[static_cast<std::size_t>(item)];
}

int PictureList::groupSize(int group) const {
  const auto at = static_cast<std::size_t>(group);
  const int end = at + 1 < groups().size() ? groups()[at + 1].first : count();
  return end - groups()[at].first;
}

std::optional<int> PictureList::itemOf(ImageId id) const {
  const auto row = snapshot_->find(id);
  if (!row) return std::nullopt;
  if (item_of_row_.empty()) {
    item_of_row_.assign(snapshot_->size(), -1);
    for (int item = 0; item < count(); ++item) item_of_row_[this->row(item)] = item;
  }
  const int item = item_of_row_[*row];
  return item < 0 ? std::nullopt : std::optional(item);
}

std::vector<ImageId> PictureList::ids() const {
  std::vector<ImageId> ids;
  ids.reserve(arrangement_.rows.size());
  for (int item = 0; item < count(); ++item) ids.push_back(id(item));
  return ids;
}

int PictureList::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : count(); }

QString PictureList::description(int item) const {
  const Picture& picture = this->picture(item);
  const QLocale locale;
  QStringList lines = {pathText(snapshot_->path(row(item)))};
  QString facts;
  if (picture.width > 0) facts = tr("%1 x %2 pixels, ").arg(picture.width).arg(picture.height);
  facts += locale.formattedDataSize(static_cast<qint64>(picture.hash.bytes));
  lines.append(facts);
  lines.append(locale.toString(QDateTime::fromMSecsSinceEpoch(picture.time, Qt::UTC), QLocale::ShortFormat));
  if (picture.files > 1) lines.append(tr("The library knows %1 with this content.").arg(filesText(picture.files)));
  if (picture.state == FileState::kOffline) lines.append(tr("Its disk is not there."));
  if (picture.state == FileState::kMissing) lines.append(tr("The file is missing."));
  if (picture.failed) lines.append(QString::fromStdString(snapshot_->error(row(item))));
  if (const SearchHit* found = hit(item)) {
    lines.append(tr("Score %1: whole picture %2, composition %3")
                     .arg(double(found->score), 0, 'f', 3)
                     .arg(double(found->coarse_score), 0, 'f', 3)
                     .arg(double(found->rerank_score), 0, 'f', 3));
    if (!std::isnan(found->by_chance)) {
      lines.append(tr("By chance %1 pictures would be as similar.").arg(found->by_chance, 0, 'g', 2));
    }
  }
  return lines.join(QLatin1Char('\n'));
}

QVariant PictureList::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || index.row() >= count()) return {};
  switch (role) {
    case Qt::DisplayRole: return snapshot_->nameText(row(index.row()));
    case Qt::ToolTipRole:
    case Qt::AccessibleDescriptionRole: return description(index.row());
    case Qt::AccessibleTextRole: return snapshot_->nameText(row(index.row()));
    case kIdRole: return QVariant::fromValue<qlonglong>(id(index.row()));
    default: return {};
  }
}

Qt::ItemFlags PictureList::flags(const QModelIndex& index) const {
  return index.isValid() ? Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsDragEnabled | Qt::ItemNeverHasChildren
                         : Qt::NoItemFlags;
}

QStringList PictureList::mimeTypes() const { return {QStringLiteral("text/uri-list"), kPictures}; }

QMimeData* PictureList::mimeData(const QModelIndexList& indexes) const {
  std::vector<int> items;
  for (const QModelIndex& index : indexes) items.push_back(index.row());
  std::sort(items.begin(), items.end());
  QList<QUrl> urls;
  QByteArray pictures;
  QDataStream stream(&pictures, QIODevice::WriteOnly);
  stream << qint64{QCoreApplication::applicationPid()};
  for (const int item : items) {
    stream << qint64{id(item)};
    const std::string path = snapshot_->path(row(item)).string();
    const QByteArray encoded =
        QByteArray::fromRawData(path.data(), static_cast<qsizetype>(path.size())).toPercentEncoding("/");
    urls.append(QUrl::fromEncoded("file://" + encoded));
  }
  auto* data = new QMimeData;
  data->setUrls(urls);
  data->setData(kPictures, pictures);
  return data;
}

std::vector<ImageId> PictureList::picturesOf(const QMimeData* data) {
  if (data == nullptr || !data->hasFormat(kPictures)) return {};
  QDataStream stream(data->data(kPictures));
  qint64 process = 0;
  stream >> process;
  std::vector<ImageId> ids;
  for (qint64 id = 0; process == QCoreApplication::applicationPid() && !stream.atEnd();) {
    stream >> id;
    if (stream.status() != QDataStream::Ok) return {};
    ids.push_back(id);
  }
  return ids;
}

}  // namespace tessera::gui
