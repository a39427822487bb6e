// Runs the real program as a child process and makes small collections for it.
#include "run_tessera.h"
#include "test_paths.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <random>
#include <stdexcept>

namespace tessera::cli::testing {
namespace {

std::array<int, 2> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
  return ends;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

RunningTessera::RunningTessera(const std::vector<std::string>& arguments, const Surroundings& surroundings) {
  std::vector<std::string> words = {test::program().string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::map<std::string, std::string> variables = {{"PATH", "/usr/bin:/bin"},
                                                  {"HOME", "/nonexistent"},
                                                  {"LC_ALL", "C.UTF-8"},
                                                  {"XDG_DATA_HOME", "/nonexistent/data"}};
  for (const auto& [name, value] : surroundings.variables) variables[name] = value;
  for (const char* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"}) {
    if (const char* value = std::getenv(name)) variables[name] = value;
  }
  std::vector<std::string> environment;
  for (const auto& [name, value] : variables) environment.push_back(name + "=" + value);
  const std::vector<char*> argv = pointers(words);
  const std::vector<char*> envp = pointers(environment);
  const std::string folder = surroundings.folder.string();

  const auto out = make_pipe();
  const auto err = make_pipe();
  child_ = ::fork();
  if (child_ < 0) throw std::runtime_error("fork failed");
  if (child_ == 0) {
    const int null = ::open("/dev/null", O_RDONLY);
    ::dup2(null, 0);
    ::dup2(surroundings.stdout_fd >= 0 ? surroundings.stdout_fd : out[1], 1);
    ::dup2(err[1], 2);
    if (!folder.empty() && ::chdir(folder.c_str()) != 0) ::_exit(126);
    ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  ::close(out[1]);
  ::close(err[1]);
  out_ = out[0];
  err_ = err[0];
}

RunningTessera::~RunningTessera() {
  if (child_ > 0) {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  for (const int fd : {out_, err_}) {
    if (fd >= 0) ::close(fd);
  }
}

void RunningTessera::drain(bool (*enough)(const RunningTessera&, const std::string&), const std::string& text) {
  std::array<char, 65536> buffer{};
  while ((out_ >= 0 || err_ >= 0) && !enough(*this, text)) {
    std::array<pollfd, 2> waits = {{{out_, POLLIN, 0}, {err_, POLLIN, 0}}};
    if (::poll(waits.data(), waits.size(), -1) < 0 && errno != EINTR) throw std::runtime_error("poll failed");
    const auto read_some = [&](const pollfd& wait, int& fd, std::string& into) {
      if (fd < 0 || wait.revents == 0) return;
      const ssize_t bytes = ::read(fd, buffer.data(), buffer.size());
      if (bytes > 0) {
        into.append(buffer.data(), static_cast<std::size_t>(bytes));
      } else {
        ::close(fd);
        fd = -1;
      }
    };
    read_some(waits[0], out_, outcome_.out);
    read_some(waits[1], err_, outcome_.err);
  }
}

bool RunningTessera::wait_for_message(const std::string& text) {
  const auto contains = [](const RunningTessera& self, const std::string& wanted) {
    return self.outcome_.err.find(wanted) != std::string::npos;
  };
  drain(contains, text);
  return contains(*this, text);
}

void RunningTessera::send(int signal) const { ::kill(child_, signal); }

Outcome RunningTessera::finish() {
  drain([](const RunningTessera&, const std::string&) { return false; }, "");
  int status = 0;
  ::waitpid(child_, &status, 0);
  child_ = -1;
  outcome_.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return outcome_;
}

Outcome run_tessera(const std::vector<std::string>& arguments, const Surroundings& surroundings) {
  return RunningTessera(arguments, surroundings).finish();
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "tessera_cli_XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Image disc_picture(int width, int height, unsigned seed) {
  std::mt19937 random(seed);
  const auto below = [&](int limit) { return static_cast<int>(random() % static_cast<unsigned>(limit)); };
  Image image{width, height, std::vector<std::uint8_t>(3 * std::size_t(width) * height)};
  for (std::uint8_t& value : image.rgb) value = static_cast<std::uint8_t>(60 + 20 * (seed % 8));
  for (int disc = 0; disc < 6; ++disc) {
    const int x = below(width);
    const int y = below(height);
    const int radius = 8 + below(std::max(width, height) / 4);
    const std::array<int, 3> color = {below(256), below(256), below(256)};
    for (int row = std::max(0, y - radius); row < std::min(height, y + radius); ++row) {
      for (int column = std::max(0, x - radius); column < std::min(width, x + radius); ++column) {
        if ((row - y) * (row - y) + (column - x) * (column - x) > radius * radius) continue;
        for (std::size_t c = 0; c < 3; ++c) {
          image.rgb[3 * (std::size_t(row) * width + column) + c] = static_cast<std::uint8_t>(color[c]);
        }
      }
    }
  }
  return image;
}

std::filesystem::path goldens_model() { return test::data_dir() / "goldens" / "radio1d-tiny-d-sharded"; }

}  // namespace tessera::cli::testing
