// A widget that puts its children side by side, in as many lines as its width needs.
#include "browse/flow_row.h"

#include <QEvent>
#include <QStyle>
#include <algorithm>

namespace tessera::gui {
namespace {

constexpr int kSpace = 4;

QSize wanted(const QWidget& widget) {
  return widget.sizeHint().expandedTo(widget.minimumSize()).boundedTo(widget.maximumSize());
}

}  // namespace

FlowRow::FlowRow(QWidget* parent) : QWidget(parent) { setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed); }

void FlowRow::add(QWidget* widget) {
  widget->setParent(this);
  widgets_.push_back(widget);
  arrange();
}

QSize FlowRow::sizeHint() const {
  int width = 0;
  for (const QWidget* widget : widgets_) {
    if (!widget->isHidden()) width = std::max(width, wanted(*widget).width());
  }
  return {width, height()};
}

bool FlowRow::event(QEvent* event) {
  if (event->type() == QEvent::LayoutRequest) arrange();
  return QWidget::event(event);
}

void FlowRow::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  arrange();
}

void FlowRow::arrange() {
  int line = 0;
  for (const QWidget* widget : widgets_) line = std::max(line, wanted(*widget).height());
  int x = 0, y = 0;
  for (QWidget* widget : widgets_) {
    if (widget->isHidden()) continue;
    const QSize size(std::min(wanted(*widget).width(), width()), wanted(*widget).height());
    if (x > 0 && x + size.width() > width()) {
      x = 0;
      y += line + kSpace;
    }
    const QRect place({x, y + (line - size.height()) / 2}, size);
    widget->setGeometry(QStyle::visualRect(layoutDirection(), rect(), place));
    x += size.width() + kSpace;
  }
  if (height() != y + line || minimumHeight() != y + line) setFixedHeight(y + line);
}

}  // namespace tessera::gui
