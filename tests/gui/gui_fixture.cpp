// What tests of the window share.
#include "gui_fixture.h"

#include <QAction>
#include <QElapsedTimer>
#include <QInputDialog>
#include <QMenu>
#include <QTest>
#include <QTimer>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "tessera/indexer/library.h"

namespace tessera::gui::test {

namespace fs = std::filesystem;

Sandbox::Sandbox() {
  std::string name = (fs::temp_directory_path() / "tessera-gui-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  dir_ = name;
  for (const char* variable : {"XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"}) {
    setenv(variable, (dir_ / variable).c_str(), 1);
  }
  unsetenv("TESSERA_LIBRARY");
}

Sandbox::~Sandbox() {
  std::error_code ignored;
  fs::remove_all(dir_, ignored);
}

ColorEncoder::ColorEncoder(const std::string& weights_hash) {
  info_.model_name = "colour fields";
  info_.weights_hash = weights_hash;
  info_.device = "cpu";
  info_.token_width = 32;
}

EncodedBatch ColorEncoder::encode(std::span<const Image> images, int tokens) {
  EncodedBatch result;
  result.batch = static_cast<int>(images.size());
  result.width = info_.token_width;
  result.token_count = tokens < 0 ? 16 : std::min(tokens, 16);
  const auto width = static_cast<std::size_t>(result.width);
  const auto count = static_cast<std::size_t>(result.token_count);
  result.tokens.assign(images.size() * count * width, 0.0F);
  for (std::size_t i = 0; i < images.size(); ++i) {
    const Image& image = images[i];
    for (std::size_t p = 0; p < image.rgb.size() / 3; ++p) {
      const std::size_t x = p % static_cast<std::size_t>(image.width) * 4 / static_cast<std::size_t>(image.width);
      const std::size_t y = p / static_cast<std::size_t>(image.width) * 4 / static_cast<std::size_t>(image.height);
      const std::size_t field = y * 4 + x;
      for (std::size_t c = 0; c < 3; ++c) {
        const float value = (float(image.rgb[p * 3 + c]) - 127.5F) / float(image.rgb.size());
        result.tokens[i * count * width + (field * 3 + c) % width] += value;
        if (field < count) result.tokens[(i * count + field) * width + c] += value * 16;
      }
    }
    for (std::size_t t = 0; t < count; ++t) result.tokens[(i * count + t) * width + width - 1] += 0.01F;
  }
  return result;
}

Encoders color_encoders(const std::string& weights_hash) {
  Encoders source;
  source.of_library = [weights_hash](const LibraryEncoder& wanted) -> std::unique_ptr<ImageEncoder> {
    if (wanted.weights_hash != weights_hash) {
      throw Error(ErrorCode::kModelMismatch, "the library was made with another model");
    }
    return std::make_unique<ColorEncoder>(weights_hash);
  };
  source.fresh = [weights_hash] {
    return FreshEncoder{std::make_unique<ColorEncoder>(weights_hash), parse_resize_spec("square:64")};
  };
  return source;
}

std::unique_ptr<MainWindow> make_window(int width, int height) {
  auto window = std::make_unique<MainWindow>(standardRegistry());
  window->session().setEncoders(color_encoders());
  window->resize(width, height);
  return window;
}

Image picture(int seed, int width, int height) {
  Image image{width, height, std::vector<std::uint8_t>(std::size_t(3) * std::size_t(width) * std::size_t(height))};
  const auto channel = [&](int which) {
    return static_cast<std::uint8_t>((seed * 67 + which * 101 + seed / 7 * 31) % 256);
  };
  const int centre_x = width * (1 + seed % 3) / 4;
  const int centre_y = height * (1 + seed / 3 % 3) / 4;
  const int radius = height / 5 + seed % 5;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const bool disc = (x - centre_x) * (x - centre_x) + (y - centre_y) * (y - centre_y) < radius * radius;
      for (int c = 0; c < 3; ++c) {
        image.rgb[(std::size_t(y) * std::size_t(width) + std::size_t(x)) * 3 + std::size_t(c)] =
            channel(disc             ? c
                    : y < height / 2 ? c + 3
                                     : c + 6);
      }
    }
  }
  // The seed in black and white along the lower edge, so that no two are equal.
  for (int bit = 0; 8 * bit + 8 <= width; ++bit) {
    for (int y = height - 8; y < height; ++y) {
      for (int x = 8 * bit; x < 8 * bit + 8; ++x) {
        const std::size_t at = (std::size_t(y) * std::size_t(width) + std::size_t(x)) * 3;
        for (std::size_t c = 0; c < 3; ++c) image.rgb[at + c] = bit < 16 && (seed >> bit & 1) != 0 ? 235 : 20;
      }
    }
  }
  return image;
}

std::vector<fs::path> write_pictures(const fs::path& folder, int count, int first) {
  fs::create_directories(folder);
  std::vector<fs::path> files;
  for (int i = 0; i < count; ++i) {
    char name[32];
    std::snprintf(name, sizeof name, "picture_%03d.jpg", i);
    files.push_back(folder / name);
    write_image(files.back(), picture(first + i));
  }
  return files;
}

void make_library(const fs::path& dir, const std::vector<fs::path>& folders) {
  ColorEncoder encoder;
  Library library = Library::open(dir, OpenMode::kCreate);
  LibraryEncoder wanted;
  wanted.model_name = encoder.info().model_name;
  wanted.weights_hash = encoder.info().weights_hash;
  wanted.resize = parse_resize_spec("square:64");
  wanted.token_width = encoder.info().token_width;
  library.set_encoder(wanted);
  library.index(folders, {}, encoder);
}

void show(QWidget& window) {
  window.show();
  window.activateWindow();
  if (!QTest::qWaitForWindowActive(&window)) throw std::runtime_error("the window did not become active");
}

bool wait_until(const std::function<bool()>& condition, int timeout_ms) {
  return QTest::qWaitFor(condition, timeout_ms);
}

namespace {

// Again and again until it is true; where a dialog or a menu has its own event loop.
void soon(const std::function<bool()>& act) {
  auto* timer = new QTimer(qApp);
  QObject::connect(timer, &QTimer::timeout, timer, [timer, act] {
    if (!act()) return;
    timer->stop();
    timer->deleteLater();
  });
  timer->start(10);
}

}  // namespace

void enter_text(const QString& text) {
  soon([text] {
    auto* dialog = qobject_cast<QInputDialog*>(QApplication::activeModalWidget());
    if (dialog == nullptr) return false;
    dialog->setTextValue(text);
    dialog->accept();
    return true;
  });
}

void choose_in_menu(const QString& entry) {
  soon([entry] {
    auto* menu = qobject_cast<QMenu*>(QApplication::activePopupWidget());
    if (menu == nullptr) return false;
    for (QAction* action : menu->actions()) {
      if (action->text() == entry) menu->setActiveAction(action);
    }
    QTest::keyClick(menu, Qt::Key_Return);
    return true;
  });
}

}  // namespace tessera::gui::test
