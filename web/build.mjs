// Builds the page and the reference of the API: node build.mjs OUT writes a C++ source that holds
// their files, packed.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const out = process.argv[2];
const source = join(dirname(fileURLToPath(import.meta.url)), "src");
const types = {
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** The feeds' titles and the patterns of columns that they know, for a file that none reads. */
async function feeds() {
  const folder = join(source, "../../feeds");
  const names = (await readdir(folder)).filter((name) => name.endsWith(".toml")).sort();
  return Promise.all(names.map(async (name) => {
    const text = await readFile(join(folder, name), "utf8");
    const [, title = ""] = /^title = "(.*)"$/m.exec(text) ?? [];
    const keys = /^\s*(header|other|column|columns|value|date|time|start|end|unit_column|meter)\b/;
    const quoted = text.split("\n").filter((line) => keys.test(line))
      .flatMap((line) => [...line.matchAll(/"([^"]+)"/g)].map(([, word]) => word));
    const columns = quoted.filter((word) => /[a-z]/i.test(word) && !/[{}]/.test(word));
    return { name: name.slice(0, -".toml".length), title, columns: [...new Set(columns)] };
  }));
}

const feedsModule = {
  name: "feeds",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^meterline:feeds$/ }, ({ path }) => ({ path, namespace: "feeds" }));
    onLoad({ filter: /.*/, namespace: "feeds" },
      async () => ({ contents: JSON.stringify(await feeds()), loader: "json" }));
  },
};

/**
 * uPlot makes formatters of its own when it is loaded, which takes as long as to run all the rest
 * of the script, and of which the page uses none: they are left out.
 */
const uplotModule = {
  name: "uplot",
  setup({ onLoad }) {
    onLoad({ filter: /uPlot\.esm\.js$/ }, async ({ path }) => {
      let contents = await readFile(path, "utf8");
      for (const [formatter, instead] of [
        ["new Intl.NumberFormat(domEnv ? nav.language : 'en-US')", "{ format: String }"],
        ["new Intl.DateTimeFormat().resolvedOptions().timeZone", "undefined"],
      ]) {
        if (!contents.includes(`= ${formatter};`)) throw new Error(`${path} has no ${formatter}`);
        contents = contents.replace(formatter, instead);
      }
      return { contents, loader: "js" };
    });
  },
};

const built = await build({
  entryPoints: ["page.tsx", "page.css", "icon.svg", "docs.ts", "docs.css"]
    .map((name) => join(source, name)),
  bundle: true,
  plugins: [feedsModule, uplotModule],
  minify: true,
  format: "esm",
  target: ["chrome109", "firefox115", "safari16"],
  jsx: "automatic",
  jsxImportSource: "preact",
  loader: { ".svg": "copy" },
  entryNames: "[name]-[hash]",
  outdir: "out",
  write: false,
  // Chromium then compiles all of it beside the main thread, and not piece by piece as it is run.
  banner: { js: "//# allFunctionsCalledOnLoad" },
  legalComments: "none",
  logLevel: "warning",
});

const files = built.outputFiles.map((file) => ({
  name: basename(file.path),
  type: types[extname(file.path)],
  content: file.contents,
}));
/** A page that names its files as they are named here. */
async function page(path) {
  let html = await readFile(join(source, path), "utf8");
  for (const { name } of files) html = html.replace(name.replace(/-[A-Z0-9]+\./, "."), name);
  return { name: "", type: "text/html; charset=utf-8", content: Buffer.from(html) };
}
const isOfDocs = ({ name }) => name.startsWith("docs-");
const ofPage = [await page("index.html"), ...files.filter((file) => !isOfDocs(file))];
const ofDocs = [await page("docs.html"), ...files.filter(isOfDocs)];

/** A string literal in lines; octal, as hexadecimal escapes have no end. */
function literal(bytes) {
  const lines = [];
  let line = "";
  for (const byte of bytes) {
    line += "\\" + byte.toString(8).padStart(3, "0");
    if (line.length >= 88) {
      lines.push(`     "${line}"`);
      line = "";
    }
  }
  lines.push(`     "${line}"`);
  return lines.join("\n");
}

const entries = (of) => of.map(({ name, type, content }) => {
  const packed = gzipSync(content, { level: 9 });
  const etag = createHash("sha256").update(packed).digest("hex").slice(0, 32);
  return `    PageFile{"${name}", "${type}", "\\"${etag}\\"",
     std::string_view(
${literal(packed)}, ${packed.length})},`;
}).join("\n");

await mkdir(dirname(out), { recursive: true });
await writeFile(
  out,
  `// Made of web/ by web/build.mjs.
#include <array>

#include "api/page_files.h"

namespace meterline::api {
namespace {

constexpr std::array of_page = {
${entries(ofPage)}
};

constexpr std::array of_docs = {
${entries(ofDocs)}
};

}  // namespace

std::span<const PageFile> page_files() { return of_page; }

std::span<const PageFile> docs_files() { return of_docs; }

}  // namespace meterline::api
`,
);
