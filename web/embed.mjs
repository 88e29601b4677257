// Writes a C++ file that holds every file of a directory, plain and gzipped, sorted by path.
//   node embed.mjs DIST OUTPUT.cpp
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { extname, join, relative } from "node:path";
import { gzipSync } from "node:zlib";

const [, , dist, output] = process.argv;
const types = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
  ".txt": "text/plain; charset=utf-8",
};

function files(directory) {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? files(path) : [path];
  });
}

function array(name, bytes) {
  return `const unsigned char ${name}[] = {${[...bytes].join(",")}${bytes.length === 0 ? "0" : ""}};\n`;
}

let data = "";
let table = "";
const paths = files(dist).sort((a, b) => (relative(dist, a) < relative(dist, b) ? -1 : 1));
for (const [index, path] of paths.entries()) {
  const type = types[extname(path)];
  if (type === undefined) throw new Error(`embed.mjs does not know the content type of ${path}`);
  const bytes = readFileSync(path);
  const zipped = gzipSync(bytes, { level: 9 });
  const gzip = zipped.length < bytes.length * 0.95 ? zipped : Buffer.alloc(0);
  const etag = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
  data += array(`bytes_${index}`, bytes) + array(`gzip_${index}`, gzip);
  table += `    {"/${relative(dist, path)}", "${type}", "\\"${etag}\\"", text(bytes_${index}, ${bytes.length}), text(gzip_${index}, ${gzip.length})},\n`;
}

writeFileSync(
  output,
  `#include "web/embedded_files.h"

namespace slipway::web {
namespace {

${data}
std::string_view text(const unsigned char* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace

std::span<const EmbeddedFile> embedded_files() {
  static const EmbeddedFile files[] = {
${table}  };
  return files;
}

}  // namespace slipway::web
`,
);
