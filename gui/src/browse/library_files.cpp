// Which libraries were open before.
#include "browse/library_files.h"

#include <QFile>
#include <QSettings>

#include "tessera/indexer/library.h"

namespace tessera::gui {
namespace {

const QString kRecent = QStringLiteral("libraries");
constexpr qsizetype kMostRecent = 6;

}  // namespace

bool isLibrary(const std::filesystem::path& dir) {
  std::error_code ignored;
  return std::filesystem::exists(dir / "catalog.sqlite", ignored);
}

QStringList recentLibraries() {
  QStringList there;
  for (const QString& library : QSettings().value(kRecent).toStringList()) {
    if (isLibrary(QFile::encodeName(library).toStdString())) there.append(library);
  }
  return there;
}

void rememberLibrary(const std::filesystem::path& dir) {
  QSettings settings;
  QStringList libraries = settings.value(kRecent).toStringList();
  const QString name = QFile::decodeName(QByteArray::fromStdString(dir.string()));
  libraries.removeAll(name);
  libraries.prepend(name);
  settings.setValue(kRecent, libraries.mid(0, kMostRecent));
}

std::optional<std::filesystem::path> startLibrary() {
  const QStringList recent = recentLibraries();
  if (!recent.isEmpty()) return std::filesystem::path(QFile::encodeName(recent.front()).toStdString());
  const std::filesystem::path standard = resolve_library_dir({});
  if (isLibrary(standard)) return standard;
  return std::nullopt;
}

}  // namespace tessera::gui
