// What a picture's file says of it.
#include "look/info_panel.h"

#include <QDateTime>
#include <QFormLayout>
#include <QLabel>
#include <QLocale>

namespace tessera::gui {
namespace {

QString text_of(const std::string& text) { return QString::fromStdString(text); }

QString number_text(double value, int places) {
  QString text = QString::number(value, 'f', places);
  while (places > 0 && text.endsWith(QLatin1Char('0'))) text.chop(1);
  if (text.endsWith(QLatin1Char('.'))) text.chop(1);
  return text;
}

QString exposure_line(const ExifData& exif) {
  QStringList parts;
  if (exif.exposure_seconds) parts.append(text_of(exposure_time_text(*exif.exposure_seconds)));
  if (exif.f_number) parts.append(QStringLiteral("f/") + number_text(*exif.f_number, 1));
  if (exif.iso) parts.append(QStringLiteral("ISO %1").arg(*exif.iso));
  if (exif.exposure_bias && *exif.exposure_bias != 0) {
    parts.append((*exif.exposure_bias > 0 ? QStringLiteral("+") : QString()) + number_text(*exif.exposure_bias, 1) +
                 QStringLiteral(" EV"));
  }
  return parts.join(QStringLiteral("   "));
}

QString focal_line(const ExifData& exif) {
  if (!exif.focal_length) return {};
  QString text = number_text(*exif.focal_length, 1) + QStringLiteral(" mm");
  if (exif.focal_length_35mm && *exif.focal_length_35mm != *exif.focal_length) {
    text += InfoPanel::tr(" (as %1 mm on 35 mm film)").arg(*exif.focal_length_35mm);
  }
  return text;
}

QString place_line(const ExifData& exif) {
  QString text = text_of(place_text(exif));
  if (!text.isEmpty() && exif.altitude) text += InfoPanel::tr(", %1 m").arg(number_text(*exif.altitude, 0));
  return text;
}

QString format_line(const DisplayPicture& picture) {
  QString text = QString::fromLatin1(image_format_name(picture.info.format)).toUpper();
  if (picture.info.bits != 8) text += InfoPanel::tr(", %1 bits").arg(picture.info.bits);
  if (picture.info.has_icc) text += InfoPanel::tr(", colour profile");
  return text;
}

}  // namespace

QString megapixelText(const QSize& size) {
  const double millions = double(size.width()) * size.height() / 1e6;
  return QObject::tr("%1 MP").arg(QString::number(millions, 'f', millions < 1 ? 2 : 1));
}

QString bytesText(std::uint64_t bytes) {
  return QLocale::c().formattedDataSize(static_cast<qint64>(bytes), 1, QLocale::DataSizeSIFormat);
}

InfoPanel::InfoPanel(QWidget* parent) : QScrollArea(parent) {
  setWidgetResizable(true);
  setFrameShape(QFrame::NoFrame);
  setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  setAccessibleName(tr("About the picture"));
  setMinimumWidth(fontMetrics().averageCharWidth() * 30);
  clear();
}

void InfoPanel::clear() {
  auto* content = new QWidget;
  form_ = new QFormLayout(content);
  form_->setRowWrapPolicy(QFormLayout::WrapAllRows);
  form_->setVerticalSpacing(2);
  form_->setContentsMargins(12, 8, 12, 8);
  setWidget(content);
}

void InfoPanel::show(const std::vector<std::pair<QString, QString>>& lines) {
  clear();
  for (const auto& [name, text] : lines) {
    auto* label = new QLabel(name);
    label->setForegroundRole(QPalette::PlaceholderText);
    auto* value = new QLabel(text);
    value->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    value->setTextFormat(Qt::PlainText);
    value->setWordWrap(true);
    value->setAccessibleName(name);
    value->setContentsMargins(0, 0, 0, 8);
    form_->addRow(label, value);
  }
}

std::vector<std::pair<QString, QString>> InfoPanel::lines(const LibrarySnapshot& snapshot, Row row,
                                                          const DisplayPicture* picture) {
  std::vector<std::pair<QString, QString>> lines;
  const auto add = [&](const QString& name, const QString& text) {
    if (!text.isEmpty()) lines.emplace_back(name, text);
  };
  const Picture& known = snapshot[row];
  add(tr("File"), snapshot.nameText(row));
  add(tr("Folder"), pathText(snapshot.folder(row)));
  if (known.files > 1) add(tr("Copies"), tr("%1 files with the same content").arg(known.files));
  if (known.width > 0) {
    const QSize size(known.width, known.height);
    add(tr("Size"), QStringLiteral("%1 × %2   %3").arg(size.width()).arg(size.height()).arg(megapixelText(size)));
  }
  if (picture == nullptr) {
    add(tr("Problem"), text_of(snapshot.error(row)));
    return lines;
  }
  const ExifData& exif = picture->exif;
  add(tr("Format"), QStringLiteral("%1   %2").arg(format_line(*picture), bytesText(picture->file_bytes)));
  QString taken = text_of(exif.date_taken);
  if (!exif.utc_offset.empty()) taken += QStringLiteral("   UTC") + text_of(exif.utc_offset);
  add(tr("Taken"), taken);
  if (taken.isEmpty()) {
    add(tr("File changed"),
        QDateTime::fromMSecsSinceEpoch(known.changed).toString(QStringLiteral("yyyy-MM-dd HH:mm:ss")));
  }
  add(tr("Camera"), text_of(camera_text(exif)));
  add(tr("Lens"), text_of(exif.lens));
  add(tr("Exposure"), exposure_line(exif));
  add(tr("Focal length"), focal_line(exif));
  if (exif.flash_fired) add(tr("Flash"), *exif.flash_fired ? tr("fired") : tr("did not fire"));
  add(tr("Place"), place_line(exif));
  add(tr("Description"), text_of(exif.description));
  add(tr("Artist"), text_of(exif.artist));
  add(tr("Copyright"), text_of(exif.copyright));
  add(tr("Software"), text_of(exif.software));
  return lines;
}

}  // namespace tessera::gui
