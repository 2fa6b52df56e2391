#!/usr/bin/env python3
"""Each rule of tidy.py with what breaks it and what does not. Runs as the ctest `tidy_test`."""
import pathlib
import tempfile
import unittest

import tidy


class TidyTest(unittest.TestCase):
    def errors(self, files):
        """The errors of a tree that has all layers and `files`, without those of other rules."""
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for layer in tidy.ALLOWED:
                path = root / "src" / layer / "CMakeLists.txt"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(f"meterline_layer({layer.replace('/', '_')}\n  DEPS)\n")
            for name, text in files.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                if text is None:
                    path.unlink()
                else:
                    path.write_text(text)
            return tidy.check_tree(root)[0]

    def check(self, name, text, *wanted):
        self.assertEqual(self.errors({name: text}), list(wanted))

    def test_includes_follow_the_layer_table(self):
        line = '#include "core/date.h"\n'
        self.check("src/store/a.cc", line)
        self.check("src/store/rocksdb/a.cc", '#include "store/store.h"\n' + line)
        self.check("src/core/a.cc", line)
        self.check("src/core/a.cc", '#include "store/store.h"\n',
                   "src/core/a.cc:1: core may not include store/store.h")
        self.check("src/ingest/a.cc", '#include "store/rocksdb/rocksdb_store.h"\n',
                   "src/ingest/a.cc:1: ingest may not include store/rocksdb/rocksdb_store.h")
        self.check("src/core/a.cc", '#include "nowhere/a.h"\n',
                   "src/core/a.cc:1: core may not include nowhere/a.h")

    def test_tests_may_include_anything_and_nothing_else_may_include_tests(self):
        for header in ("<gtest/gtest.h>", '"testing/temp_folder.h"', "<rapidcheck.h>"):
            line = f"#include {header}\n"
            self.check("src/core/a_test.cc", line)
            self.check("src/core/a_fuzz.cc", line)
            self.check("src/testing/a.cc", line)
            self.check("src/app/a.cc", line,
                       f'src/app/a.cc:1: only tests may include {header.strip("<>" + chr(34))}')

    def test_headers_guard_themselves(self):
        self.check("src/core/a.h", "#pragma once\n")
        self.check("src/core/a.h", "int x;\n", "src/core/a.h:1: no #pragma once")
        self.check("src/core/a.cc", "int x;\n")

    def test_headers_include_what_their_integers_need(self):
        self.check("src/core/a.h", "#pragma once\n#include <cstdint>\nstd::int64_t x;\n")
        self.check("src/core/a.h", "#pragma once\n// a std::int64_t\n")
        self.check("src/core/a.h", "#pragma once\nstd::uint8_t x;\n", "src/core/a.h:1: no "
                   "#include <cstdint>, which not every standard library brings along")
        self.check("src/core/a.cc", "std::int64_t x;\n")

    def test_lines_and_files_have_a_size(self):
        for name in ("src/core/a.cc", "tools/a.py", "scripts/a.sh", "cmake/a.cmake"):
            self.check(name, "/" * 100 + "\n")
            self.check(name, "/" * 101 + "\n", f"{name}:1: 101 columns, at most 100")
            self.check(name, "//\n" * 800)
            self.check(name, "//\n" * 801, f"{name}:1: 801 lines, at most 800")
        self.check("README.md", "x" * 500 + "\n")

    def test_banned_words(self):
        def banned(name, text, word, instead):
            self.check(name, text, f"{name}:1: {word!r} is banned here, use {instead}")

        unfinished = "TO" + "DO"
        banned("src/core/a.cc", f"// {unfinished}: later\n", unfinished, "a finished change")
        self.check("src/core/a.cc", "// Later.\n")
        banned("src/http/a_test.cc", "using namespace std;\n", "using namespace std;",
               "qualified names")
        self.check("src/http/a_test.cc", "using namespace std::string_literals;\n")
        banned("src/query/a.cc", "double sum = 0;\n", "double",
               "Decimal or an integer: energy is exact")
        self.check("src/query/a.cc", "// No double holds energy.\n")
        self.check("src/cli/a.cc", "double rate = 0;\n")
        for call in ("std::filesystem::temp_directory_path()", "fs::exists(file)"):
            word = call.removeprefix("std::").split("(")[0] + "("
            banned("src/cli/a.cc", f"auto x = {call};\n", word,
                   "its twin that takes a std::error_code and does not throw")
        self.check("src/cli/a.cc", "if (fs::exists(file, error)) return;\n")
        self.check("src/cli/a_test.cc", "fs::exists(file);\n")
        banned("src/api/a.cc", "std::cout << 1;\n", "std::cout",
               "a result: only cli and app write to the terminal")
        self.check("src/cli/a.cc", "std::cout << 1;\n")
        banned("src/http/a_test.cc", "std::this_thread::sleep_for(x);\n", "sleep_for",
               "waiting for what should happen")
        self.check("src/http/a.cc", "std::this_thread::sleep_for(x);\n")
        self.check("src/http/a_test.cc", "usleep(1);  // Allowed: it is what a slow client does.\n")
        banned("src/http/a_test.cc", "GTEST_SKIP();\n", "GTEST_SKIP", "a test that runs")

    def test_layers_and_folders_agree(self):
        self.assertEqual(self.errors({}), [])
        self.assertEqual(
            self.errors({"src/core/CMakeLists.txt": None}),
            ["src/core: a layer in tools/tidy.py, but it has no CMakeLists.txt"])
        self.check("src/new/CMakeLists.txt", "meterline_layer(new)\n",
                   "src/new: has a CMakeLists.txt, but is not a layer in tools/tidy.py")
        self.check("src/core/CMakeLists.txt", "meterline_layer(store)\n",
                   "src/core/CMakeLists.txt: wanted meterline_layer(core, once")
        self.check("src/new/a.cc", "\n", "src/new/a.cc:1: this folder is not a layer in "
                                         "tools/tidy.py")

    def test_links_in_documents_lead_somewhere(self):
        self.check("docs/a.md", "[b](../src/core/CMakeLists.txt#x) [c](#here) [d](/docs/a.md)\n")
        self.check("docs/a.md", "[b](https://example.org/x) [m](mailto:a@example.org)\n")
        self.check("docs/a.md", "text\n[b](b.md)\n", "docs/a.md:2: the link b.md leads nowhere")
        self.check("docs/a.md", "```\n[b](b.md)\n```\n")

    def test_folders_that_are_made_are_left_out(self):
        self.check("build/dev/a.cc", "/" * 200 + "\n")
        self.check(".cache/a.py", "/" * 200 + "\n")


if __name__ == "__main__":
    unittest.main()
