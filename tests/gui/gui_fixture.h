// What tests of the window share: folders of their own, small libraries made by a cheap encoder, and waiting.
#pragma once

#include <QApplication>
#include <QTest>
#include <QWidget>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "app/main_window.h"
#include "jobs/library_encoder.h"
#include "tessera/encoder.h"
#include "tessera/image.h"

namespace tessera::gui::test {

// A folder that goes when the object does. Settings, caches and data of the program lie below it from then on, so make
// it before the QApplication.
class Sandbox {
 public:
  Sandbox();
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;
  const std::filesystem::path& dir() const { return dir_; }

 private:
  std::filesystem::path dir_;
};

// Cheap and deterministic: tokens are mean colours of a grid of fields, coarse to fine.
class ColorEncoder : public ImageEncoder {
 public:
  const EncoderInfo& info() const override { return info_; }
  EncodedBatch encode(std::span<const Image> images, int tokens) override;
  explicit ColorEncoder(const std::string& weights_hash = "c0105");

 private:
  EncoderInfo info_;
};

// ColorEncoders in the place of a model; with another hash they are another model.
Encoders color_encoders(const std::string& weights_hash = "c0105");

// A window with all pages, not shown yet, and the model of make_library(): the notice of another one would come at any
// time and move what is shown.
std::unique_ptr<MainWindow> make_window(int width, int height);

// A picture that no other seed gives: two colours and a disc.
Image picture(int seed, int width = 96, int height = 64);
// picture_000.jpg, picture_001.jpg, ... below `folder`; the seeds count from `first`.
std::vector<std::filesystem::path> write_pictures(const std::filesystem::path& folder, int count, int first = 0);
// Makes a library of the folders with a ColorEncoder, or adds to it.
void make_library(const std::filesystem::path& library, const std::vector<std::filesystem::path>& folders);

// Shows the window and waits until it has the keyboard, which its shortcuts need.
void show(QWidget& window);
// Runs the event loop until `condition` holds; false after 20 s.
bool wait_until(const std::function<bool()>& condition, int timeout_ms = 20'000);

// Answers the next dialog that asks for a text.
void enter_text(const QString& text);
// Chooses this entry of the next menu that opens by itself.
void choose_in_menu(const QString& entry);

// The main program of a suite: its Test is made of the sandbox's folder where it takes one.
template <typename Test>
int run_suite(int argc, char** argv) {
  const Sandbox sandbox;
  QApplication application(argc, argv);
  QApplication::setOrganizationName(QStringLiteral("tessera"));
  QApplication::setApplicationName(QStringLiteral("tessera-browser"));
  if constexpr (std::is_constructible_v<Test, const std::filesystem::path&>) {
    Test test(sandbox.dir());
    return QTest::qExec(&test, argc, argv);
  } else {
    Test test;
    return QTest::qExec(&test, argc, argv);
  }
}

}  // namespace tessera::gui::test
