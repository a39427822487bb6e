// Numbers of things as people say them: "1 picture", "2 pictures".
#pragma once

#include <QLocale>
#include <QObject>
#include <QString>
#include <cstdint>

namespace tessera::gui {

inline QString countText(std::int64_t count, const QString& one, const QString& many) {
  return QStringLiteral("%1 %2").arg(QLocale().toString(static_cast<qlonglong>(count)), count == 1 ? one : many);
}

inline QString picturesText(std::int64_t count) {
  return countText(count, QObject::tr("picture"), QObject::tr("pictures"));
}

inline QString filesText(std::int64_t count) { return countText(count, QObject::tr("file"), QObject::tr("files")); }

}  // namespace tessera::gui
