import { fileURLToPath } from 'node:url';

/** For a child process of Node: what V8 made of its files is kept, which halves the time they take to load. */
export const compileCache = {
  NODE_COMPILE_CACHE: fileURLToPath(new URL('../out/compile-cache', import.meta.url)),
} as const;
