import type { JobFiles as EmulatedFiles } from '../../local/emulator/job-files.ts';
import type { JobFiles } from '../../src/core/ports.ts';

/** Containers of jobs in memory: as the app sees them, and as an emulated hub does, by addresses that end and can be lost. */
export function createMemoryJobFiles(now: () => number) {
  const containers = new Map<string, Map<string, Buffer>>();
  const sign = (path: string, rights: string, forMs: number): string =>
    `https://jobs.test/${path}?sp=${rights}&se=${encodeURIComponent(new Date(now() + forMs).toISOString())}&sig=x`;
  const filesIn = (container: string): Map<string, Buffer> => {
    const files = containers.get(container);
    if (files === undefined) throw new Error(`Container ${container} is missing (404).`);
    return files;
  };
  const files: JobFiles = {
    async open(container, forMs) {
      if (!containers.has(container)) containers.set(container, new Map());
      return sign(container, 'rwl', forMs);
    },
    async find(container, title, name) {
      const all = [...(containers.get(container) ?? [])].map(([key, bytes]) => ({
        name: key,
        sizeBytes: bytes.length,
      }));
      return (
        all.find((one) => one.name === name) ?? all.find((one) => one.name === title || one.name.endsWith(`/${title}`))
      );
    },
    async read(container, name, { offset, length }) {
      return (filesIn(container).get(name) ?? Buffer.alloc(0)).subarray(offset, offset + length);
    },
    async write(container, name, bytes) {
      filesIn(container).set(name, Buffer.from(bytes));
    },
    address: async (container, name, forMs) => sign(`${container}/${name}`, 'r', forMs),
    remove: async (container) => void containers.delete(container),
    removeBefore: async () => {},
  };
  const granted = (address: string, right: string) => {
    const { pathname, searchParams } = new URL(address);
    const isOver = Date.parse(searchParams.get('se') ?? '') <= now();
    if (isOver || !searchParams.get('sp')?.includes(right)) throw new Error('AuthenticationFailed (403)');
    const [container = '', ...name] = pathname.slice(1).split('/').map(decodeURIComponent);
    return { files: filesIn(container), name: name.join('/') };
  };
  const emulated: EmulatedFiles = {
    async read(address) {
      const { files: all, name } = granted(address, 'r');
      const bytes = all.get(name);
      if (bytes === undefined) throw new Error('BlobNotFound (404)');
      return bytes.toString();
    },
    async write(address, parts) {
      const { files: all, name } = granted(address, 'w');
      all.set(name, Buffer.concat([...parts].map((part) => Buffer.from(part))));
    },
  };
  return { files, emulated, containers };
}
