// Runs a child process with its output in files, so that neither pipe can fill up and block it.
#include "tessera_process.h"
#include "test_paths.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace tessera::e2e {
namespace {

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

[[noreturn]] void exec_child(const std::vector<std::string>& arguments, const std::filesystem::path& folder,
                             const std::filesystem::path& home) {
  const int out = open((home / "stdout").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  const int err = open((home / "stderr").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  const int in = open("/dev/null", O_RDONLY);
  if (out < 0 || err < 0 || in < 0 || chdir(folder.c_str()) != 0) _exit(126);
  dup2(in, 0);
  dup2(out, 1);
  dup2(err, 2);
  unsetenv("TESSERA_LIBRARY");
  unsetenv("TESSERA_MODEL");
  setenv("HOME", home.c_str(), 1);
  setenv("XDG_DATA_HOME", (home / "data").c_str(), 1);
  std::vector<char*> argv{const_cast<char*>("tessera")};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  execv(test::program().c_str(), argv.data());
  _exit(127);
}

}  // namespace

std::vector<std::string> ProcessResult::lines() const {
  std::vector<std::string> result;
  std::istringstream text(out);
  for (std::string line; std::getline(text, line);) result.push_back(line);
  return result;
}

ProcessResult run_tessera(const std::vector<std::string>& arguments, const std::filesystem::path& folder,
                          const std::filesystem::path& home) {
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) exec_child(arguments, folder, home);
  int status = 0;
  if (waitpid(child, &status, 0) != child) throw std::runtime_error("waitpid failed");
  ProcessResult result;
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.out = contents(home / "stdout");
  result.err = contents(home / "stderr");
  return result;
}

}  // namespace tessera::e2e
