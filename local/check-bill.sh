#!/usr/bin/env bash
# Makes the package and holds its bill of materials to the schema of CycloneDX 1.6, strictly. The validator is the
# standard's own, pinned, in a folder that is removed. A planted fault shows that it looks.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$root/node_modules/.bin/node" "$root/local/package.ts" --out "$folder/out" >/dev/null
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
  @cyclonedx/cyclonedx-library@10.3.0 ajv@8.20.0 ajv-formats@3.0.1 ajv-formats-draft2019@1.6.1
cat > check.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
const bill = readFileSync('out/package/sbom.cdx.json', 'utf8');
const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
const errors = await validator.validate(bill);
if (errors !== null) console.error(JSON.stringify(errors, undefined, 2));
const planted = await validator.validate(bill.replace('"id": "MIT"', '"id": "MITT"'));
if (planted === null) console.error('A licence that does not exist is not found.');
console.log(`bill of materials: ${JSON.parse(bill).components.length} components`);
process.exit(errors === null && planted !== null ? 0 : 1);
JS
node check.mjs
