#include <string>

#include "app/open_store.h"
#include "cli/command_line.h"

int main(int argc, char** argv) {
  namespace app = meterline::app;
  namespace cli = meterline::cli;
  namespace store = meterline::store;
  // A second process that wants the same store is told what this one does.
  const std::string owner = argc > 1 ? std::string("meterline ") + argv[1] : "meterline";
  return cli::run(
      argc, argv,
      {.open_store = [&](const std::string& url,
                         cli::OpenMode mode) { return app::open_store(url, mode, owner); },
       .share_store = app::share_store,
       .init_store =
           [&](const std::string& url, const cli::InitOptions& options) {
             return app::init_store(url, options, owner);
           },
       .repair_store = [&](const std::string& url,
                           store::RepairMode mode) { return app::repair_store(url, mode, owner); },
       .backups = app::backups(owner),
       .open_pricing = app::open_pricing,
       .stores = app::store_kinds()});
}
