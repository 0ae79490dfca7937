/** The storage that a job reads and writes, by addresses that carry their own permission. */
export interface JobFiles {
  /** @throws Error with the storage's answer. */
  read(url: string): Promise<string>;
  /** Puts the file there, or in place of the one there. @throws Error with the storage's answer. */
  write(url: string, parts: Iterable<string | Uint8Array>): Promise<void>;
}

/** The address of a file in a container, whose SAS holds for it. The name may have empty parts. */
export function fileUrl(containerUrl: string, name: string): string {
  const url = new URL(containerUrl);
  return `${url.origin}${url.pathname.replace(/\/$/, '')}/${name.split('/').map(encodeURIComponent).join('/')}${url.search}`;
}

const blockBytes = 4 * 1024 * 1024;

/** Blobs over HTTP, in blocks. */
export const blobFiles: JobFiles = {
  async read(url) {
    const answer = await fetch(url);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`The file cannot be read: ${answer.status} ${codeOf(text)}`);
    return text;
  },
  async write(url, parts) {
    const ids: string[] = [];
    for (const block of inBlocks(parts)) {
      const id = Buffer.from(String(ids.length).padStart(6, '0')).toString('base64');
      await put(`${url}&comp=block&blockid=${encodeURIComponent(id)}`, block);
      ids.push(id);
    }
    const list = ids.map((id) => `<Latest>${id}</Latest>`).join('');
    await put(`${url}&comp=blocklist`, `<?xml version="1.0" encoding="utf-8"?><BlockList>${list}</BlockList>`);
  },
};

async function put(url: string, body: string | Uint8Array<ArrayBuffer>): Promise<void> {
  const answer = await fetch(url, { method: 'PUT', body, headers: { 'Content-Type': 'application/octet-stream' } });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`The output cannot be written: ${answer.status} ${codeOf(text)}`);
}

function* inBlocks(parts: Iterable<string | Uint8Array>): Iterable<Uint8Array<ArrayBuffer>> {
  let waiting: Uint8Array[] = [];
  let size = 0;
  for (const part of parts) {
    waiting.push(Buffer.from(part));
    size += part.length;
    if (size < blockBytes) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(waiting);
}

/** Never the whole answer: it repeats the string that was signed. */
function codeOf(answer: string): string {
  return /<Code>(\w+)<\/Code>/.exec(answer)?.[1] ?? '';
}
