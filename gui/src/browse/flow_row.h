// A widget that puts its children side by side, in as many lines as its width needs.
#pragma once

#include <QWidget>
#include <vector>

namespace tessera::gui {

class FlowRow : public QWidget {
  Q_OBJECT

 public:
  explicit FlowRow(QWidget* parent = nullptr);

  void add(QWidget* widget);  // at the end; becomes a child

  QSize sizeHint() const override;  // of its widest child; the height follows from the width
  QSize minimumSizeHint() const override { return sizeHint(); }

 protected:
  bool event(QEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;

 private:
  void arrange();

  std::vector<QWidget*> widgets_;
};

}  // namespace tessera::gui
