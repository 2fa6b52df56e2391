#include "testing/temp_folder.h"

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <system_error>

#include "testing/syncs.h"

namespace meterline::testing {

TempFolder::TempFolder() {
  use_quick_syncs();
  std::string pattern = (std::filesystem::temp_directory_path() / "meterline-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr)
    throw std::runtime_error("cannot make a temporary folder like " + pattern);
  path_ = pattern;
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace meterline::testing
