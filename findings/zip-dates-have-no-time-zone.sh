#!/usr/bin/env bash
# Two zips of the same file with the same date differ by the machine's time zone.
# One would guess: a library that is given an instant (epoch milliseconds) stores the same bytes everywhere.
# What is so: zip stores the reading of a clock without its zone, and fflate takes the local one. The first instant that zip can
# store, 1980-01-01 in UTC, is even refused west of Greenwich.
# Why it matters here: `npm run package` gives the same bytes on every machine, so its date is made from a local reading.
# Needs npm and Node 20 or later. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --prefix "$folder" fflate@0.8.3
cat > zip.mjs <<'JS'
import { createHash } from 'node:crypto';
import { zipSync } from 'fflate';
const hashOf = (mtime) => {
  try {
    return createHash('sha256').update(zipSync({ a: new Uint8Array(1) }, { mtime })).digest('hex').slice(0, 8);
  } catch (error) {
    return `(${error.message})`;
  }
};
console.log(`${hashOf(Date.UTC(1980, 0, 1))} ${hashOf(Date.UTC(2020, 0, 1))} ${hashOf(new Date(2020, 0, 1))}`);
JS
for zone in UTC America/New_York Asia/Tokyo; do
  echo "$zone: $(TZ=$zone node zip.mjs)"
done | tee seen
refused=$(grep -c 'date not in range' seen || true)
instants=$(sed 's/(.*)/x/' seen | awk '{print $3}' | sort -u | wc -l)
readings=$(sed 's/(.*)/x/' seen | awk '{print $4}' | sort -u | wc -l)
[ "$refused $instants $readings" = '1 3 1' ]
# Seen: UTC: ca013ccd 117035fd 117035fd
#       America/New_York: (date not in range 1980-2099) 4e6caeaf 117035fd
#       Asia/Tokyo: 78ebf421 3669afd0 117035fd
