// Runs the real program as a child process and makes small collections for it.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tessera/image.h"

namespace tessera::cli::testing {

struct Outcome {
  int exit_code = -1;  // 128 + signal if it was killed
  std::string out;
  std::string err;
};

struct Surroundings {
  std::filesystem::path folder;                  // where the program runs; empty = here
  std::map<std::string, std::string> variables;  // on top of a clean environment (PATH, HOME, C.UTF-8)
  int stdout_fd = -1;                            // instead of capturing
};

// The program runs to its end.
Outcome run_tessera(const std::vector<std::string>& arguments, const Surroundings& surroundings = {});

// A program that is still running.
class RunningTessera {
 public:
  explicit RunningTessera(const std::vector<std::string>& arguments, const Surroundings& surroundings = {});
  ~RunningTessera();
  RunningTessera(const RunningTessera&) = delete;
  RunningTessera& operator=(const RunningTessera&) = delete;

  // Reads standard error until it holds `text`; false if it ended before.
  bool wait_for_message(const std::string& text);
  void send(int signal) const;
  Outcome finish();  // reads everything and waits

 private:
  void drain(bool (*enough)(const RunningTessera&, const std::string&), const std::string& text);

  pid_t child_ = -1;
  int out_ = -1;
  int err_ = -1;
  Outcome outcome_;
};

// A folder of its own, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// A picture of coloured discs, different for every seed.
Image disc_picture(int width, int height, unsigned seed);

std::filesystem::path goldens_model();  // a model that is not the default one

}  // namespace tessera::cli::testing
