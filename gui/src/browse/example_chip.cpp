// One example of a query.
#include "browse/example_chip.h"

#include <QHBoxLayout>
#include <QImage>
#include <QLabel>
#include <QToolButton>

#include "app/session.h"
#include "tessera/indexer/query_picture.h"
#include "tessera/indexer/thumbnails.h"

namespace tessera::gui {
namespace {

constexpr int kSide = 56;
constexpr int kDecoded = 512;  // before a region is cut out of it

QImage chip_image(const Example& example) {
  Image image = example.picture ? *example.picture : load_thumbnail(example.file, kDecoded);
  if (!example.region.isNull()) {
    const PictureRegion region{example.region.x(), example.region.y(), example.region.width(), example.region.height(),
                               true};
    const PixelRect rect = region_pixels(region, image.width, image.height, example.file.string());
    image = crop_image(image, rect.x, rect.y, rect.width, rect.height);
  }
  const QImage whole(image.rgb.data(), image.width, image.height, image.width * 3, QImage::Format_RGB888);
  return whole.scaled(2 * kSide, 2 * kSide, Qt::KeepAspectRatio, Qt::SmoothTransformation);
}

}  // namespace

ExampleChip::ExampleChip(Session& session, const Example& example, QWidget* parent) : QFrame(parent) {
  setFrameShape(StyledPanel);
  setBackgroundRole(QPalette::Button);
  setAutoFillBackground(true);
  auto* layout = new QHBoxLayout(this);
  layout->setContentsMargins(4, 4, 4, 4);
  layout->setSpacing(4);
  auto* sign = new QToolButton(this);
  sign->setAutoRaise(true);
  sign->setText(example.negative ? QStringLiteral("\u2212") : QStringLiteral("+"));
  QFont bold = sign->font();
  bold.setBold(true);
  bold.setPointSizeF(bold.pointSizeF() * 1.3);
  sign->setFont(bold);
  sign->setToolTip(example.negative ? tr("Not like this picture. Press to search for pictures like it")
                                    : tr("Like this picture. Press to search for pictures unlike it"));
  sign->setAccessibleName(example.negative ? tr("Not like %1").arg(example.name()) : tr("Like %1").arg(example.name()));
  picture_ = new QLabel(this);
  picture_->setFixedSize(kSide, kSide);
  picture_->setAlignment(Qt::AlignCenter);
  picture_->setToolTip(example.region.isNull() ? example.name() : tr("A part of %1").arg(example.name()));
  picture_->setAccessibleName(picture_->toolTip());
  auto* close = new QToolButton(this);
  close->setAutoRaise(true);
  close->setText(QStringLiteral("\u00d7"));
  close->setToolTip(tr("Take this example away"));
  close->setAccessibleName(tr("Take %1 away").arg(example.name()));
  layout->addWidget(sign);
  layout->addWidget(picture_);
  layout->addWidget(close);
  connect(sign, &QToolButton::clicked, this, &ExampleChip::signToggled);
  connect(close, &QToolButton::clicked, this, &ExampleChip::removed);
  loadPicture(session, example);
}

void ExampleChip::loadPicture(Session& session, const Example& example) {
  session.jobs().run(
      Lane::kPictures, this, [example](JobContext&) { return chip_image(example); },
      [this](const QImage& image) {
        QPixmap pixmap = QPixmap::fromImage(image);
        pixmap.setDevicePixelRatio(2);
        picture_->setPixmap(pixmap);
      },
      [this](const JobError& error) {
        picture_->setText(QStringLiteral("!"));
        picture_->setToolTip(error.message);
      },
      1);
}

}  // namespace tessera::gui
