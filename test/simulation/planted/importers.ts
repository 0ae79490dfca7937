import { glob, readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

const graphs = new Map<string, Promise<Graph>>();

/** Those of a build's modules that import one of these, directly or by way of others, and these. As paths below the root. */
export async function importersOf(root: URL, files: ReadonlySet<string>): Promise<ReadonlySet<string>> {
  const known = graphs.get(root.href) ?? readGraph(fileURLToPath(root));
  graphs.set(root.href, known);
  const graph = await known;
  const found = new Set(files);
  // A set's loop also visits what is added meanwhile.
  for (const file of found) for (const importer of graph.get(file) ?? []) found.add(importer);
  return found;
}

/** By module, who imports it. */
async function readGraph(root: string): Promise<Graph> {
  const graph = new Map<string, Set<string>>();
  for await (const file of glob('**/*.js', { cwd: root })) {
    const text = await readFile(`${root}${file}`, 'utf8');
    for (const [, specifier = ''] of text.matchAll(/\b(?:from|import) ?\(?['"](\.[^'"]+)['"]/g)) {
      const imported = posix.join(posix.dirname(file), specifier);
      graph.set(imported, (graph.get(imported) ?? new Set()).add(file));
    }
  }
  return graph;
}
