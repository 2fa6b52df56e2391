#include <string>

#include "app/open_store.h"
#include "cli/command_line.h"

int main(int argc, char** argv) {
  // A second process that wants the same store is told what this one does.
  const std::string owner = argc > 1 ? std::string("meterline ") + argv[1] : "meterline";
  return meterline::cli::run(argc, argv,
                             [&](const std::string& url, meterline::cli::OpenMode mode) {
                               return meterline::app::open_store(url, mode, owner);
                             });
}
