// Writes chosen pictures for other programs, in a job.
#include "curate/export_job.h"

#include <QApplication>
#include <QClipboard>
#include <QFile>
#include <QMimeData>
#include <QUrl>

#include "app/count_text.h"
#include "tessera/indexer/export.h"
#include "tessera/indexer/xmp.h"

namespace tessera::gui {
namespace {

QString write_sidecars_of(const Library& library, const Curation& curation, const std::vector<ImageId>& ids) {
  std::vector<ImageRecord> records;
  for (const ImageId id : ids) records.push_back(library.image(id));
  const SidecarReport report = write_sidecars(curation, records);
  QString text = QObject::tr("%1 written, %2 said the same already.")
                     .arg(countText(report.done, QObject::tr("sidecar"), QObject::tr("sidecars")))
                     .arg(report.unchanged);
  if (!report.failed.empty()) text += QStringLiteral(" ") + QString::fromStdString(report.failed.front().reason);
  return text;
}

QString write_export(JobContext& context, const std::vector<ImageId>& ids, ExportKind kind,
                     const std::filesystem::path& file) {
  const Library& library = context.library();
  const Curation curation = Curation::open(context.libraryDir(), OpenMode::kRead);
  if (kind == ExportKind::kSidecars) return write_sidecars_of(library, curation, ids);
  const MarkBook book(curation);
  if (kind == ExportKind::kCsv || kind == ExportKind::kJsonl) {
    export_records(library, book, ids, file, kind == ExportKind::kCsv ? RecordFormat::kCsv : RecordFormat::kJsonl,
                   context.stop());
  } else {
    const std::string title = picturesText(std::ssize(ids)).toStdString();
    write_contact_sheet(contact_sheet_of(library, book, ids, title), file);
  }
  return QObject::tr("Wrote %1 to %2").arg(picturesText(std::ssize(ids)), pathText(file));
}

}  // namespace

QString exportSuffix(ExportKind kind) {
  switch (kind) {
    case ExportKind::kCsv: return QStringLiteral(".csv");
    case ExportKind::kJsonl: return QStringLiteral(".jsonl");
    case ExportKind::kSheetPage: return QStringLiteral(".html");
    case ExportKind::kSheetPicture: return QStringLiteral(".jpg");
    case ExportKind::kSidecars: break;
  }
  return {};
}

void exportPictures(Session& session, const std::vector<ImageId>& ids, ExportKind kind, const QString& file) {
  session.jobs().run(
      Lane::kLong, &session,
      [ids, kind, path = std::filesystem::path(QFile::encodeName(file).toStdString())](JobContext& context) {
        return write_export(context, ids, kind, path);
      },
      [&session](const QString& text) { Q_EMIT session.message(text); },
      [&session](const JobError& error) { Q_EMIT session.message(error.message); });
}

void copyPaths(Session& session, const std::vector<ImageId>& ids) {
  const auto snapshot = session.library().snapshot();
  QStringList lines;
  QList<QUrl> addresses;
  for (const ImageId id : ids) {
    const auto row = snapshot->find(id);
    if (!row) continue;
    const QString path = QFile::decodeName(QByteArray::fromStdString(snapshot->path(*row).string()));
    lines.append(path);
    addresses.append(QUrl::fromLocalFile(path));
  }
  auto* data = new QMimeData;
  data->setText(lines.join(QLatin1Char('\n')));
  data->setUrls(addresses);
  QApplication::clipboard()->setMimeData(data);
  Q_EMIT session.message(
      QObject::tr("The clipboard has %1.").arg(countText(lines.size(), QObject::tr("path"), QObject::tr("paths"))));
}

}  // namespace tessera::gui
