// Light and dark looks.
#include "app/theme.h"

#include <QApplication>
#include <QPainter>
#include <QPalette>
#include <QProxyStyle>
#include <QStyle>
#include <QStyleFactory>
#include <QStyleOption>

namespace tessera::gui {
namespace {

constexpr float kLineFrame = 0.6F;  // opacity

struct Colors {
  QRgb window, base, alternate, button, text, dim, highlight, highlighted_text, link, tool_tip;
};

constexpr Colors kLight = {0xfff2f2f4, 0xffffffff, 0xffe9e9ec, 0xffe7e7ea, 0xff1c1c1f,
                           0xff6a6a70, 0xff1f6fd0, 0xffffffff, 0xff1a5fb4, 0xfffcfcfd};
constexpr Colors kDark = {0xff232326, 0xff1a1a1c, 0xff2b2b2f, 0xff333338, 0xffe6e6e9,
                          0xff9a9aa2, 0xff2f7fe0, 0xffffffff, 0xff7ab7ff, 0xff3a3a40};

QPalette palette_of(const Colors& colors) {
  QPalette palette;
  const auto set = [&](QPalette::ColorRole role, QRgb color) { palette.setColor(role, QColor(color)); };
  set(QPalette::Window, colors.window);
  set(QPalette::WindowText, colors.text);
  set(QPalette::Base, colors.base);
  set(QPalette::AlternateBase, colors.alternate);
  set(QPalette::Text, colors.text);
  set(QPalette::Button, colors.button);
  set(QPalette::ButtonText, colors.text);
  set(QPalette::BrightText, 0xffffffff);
  set(QPalette::Highlight, colors.highlight);
  set(QPalette::HighlightedText, colors.highlighted_text);
  set(QPalette::Link, colors.link);
  set(QPalette::LinkVisited, colors.link);
  set(QPalette::ToolTipBase, colors.tool_tip);
  set(QPalette::ToolTipText, colors.text);
  set(QPalette::PlaceholderText, colors.dim);
  const QColor button(colors.button);
  palette.setColor(QPalette::Light, button.lighter(130));
  palette.setColor(QPalette::Midlight, button.lighter(112));
  palette.setColor(QPalette::Mid, button.darker(130));
  palette.setColor(QPalette::Dark, button.darker(160));
  palette.setColor(QPalette::Shadow, button.darker(240));
  for (const QPalette::ColorRole role : {QPalette::Text, QPalette::WindowText, QPalette::ButtonText}) {
    palette.setColor(QPalette::Disabled, role, QColor(colors.dim));
  }
  palette.setColor(QPalette::Disabled, QPalette::Highlight, QColor(colors.button));
  palette.setColor(QPalette::Disabled, QPalette::HighlightedText, QColor(colors.dim));
  return palette;
}

// Fusion draws the frames of empty boxes and of lines darker than a dark window, where they cannot be seen.
class VisibleFrames : public QProxyStyle {
 public:
  VisibleFrames() : QProxyStyle(QStyleFactory::create(QStringLiteral("fusion"))) {}

  void drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter,
                     const QWidget* widget) const override {
    QProxyStyle::drawPrimitive(element, option, painter, widget);
    const bool box = element == PE_IndicatorCheckBox || element == PE_IndicatorItemViewItemCheck;
    const bool line = element == PE_FrameLineEdit && !option->state.testFlag(State_HasFocus) &&
                      option->palette.color(QPalette::Window).lightness() < 128;
    if (!box && !line) return;
    QColor color = option->palette.color(QPalette::PlaceholderText);
    if (line) color.setAlphaF(kLineFrame);
    painter->save();
    painter->setBrush(Qt::NoBrush);
    painter->setPen(color);
    painter->drawRect(option->rect.adjusted(1, 1, -2, -2));
    painter->restore();
  }
};

}  // namespace

void applyTheme(Theme theme) {
  QApplication::setStyle(new VisibleFrames);
  QApplication::setPalette(palette_of(theme == Theme::kDark ? kDark : kLight));
}

Theme currentTheme() {
  return QApplication::palette().color(QPalette::Window).lightness() < 128 ? Theme::kDark : Theme::kLight;
}

}  // namespace tessera::gui
