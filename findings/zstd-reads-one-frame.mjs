// node findings/zstd-reads-one-frame.mjs
// Node 24.21: `zstdDecompressSync` reads the first frame and ignores in silence whatever follows, another frame or not.
// `gunzipSync` joins members. Joined frames therefore need their lengths stored: see src/app/listing/segment-format.ts.
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';

const [one, two] = ['one', 'two'].map((text) => Buffer.from(text));
const frames = Buffer.concat([zstdCompressSync(one), zstdCompressSync(two)]);
const members = Buffer.concat([gzipSync(one), gzipSync(two)]);

console.log('zstd, two frames:', zstdDecompressSync(frames).toString());
console.log(
  'zstd, a frame and other bytes:',
  zstdDecompressSync(Buffer.concat([zstdCompressSync(one), two])).toString(),
);
console.log('gzip, two members:', gunzipSync(members).toString());
