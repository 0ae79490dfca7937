import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { table } from './table.ts';

/** What V8 writes with `--cpu-prof`: a tree of calls, and which node of it was running at each sample. */
const profileSchema = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() }),
      children: z.array(z.number()).optional(),
    }),
  ),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
});

export type Profile = z.infer<typeof profileSchema>;
type Frame = Profile['nodes'][number]['callFrame'];

/** Milliseconds of one function or module. */
export interface Spent {
  readonly name: string;
  /** In its own code. */
  readonly selfMs: number;
  /** In it and in what it called; a function that calls itself counts once. */
  readonly totalMs: number;
}

export interface ProfileSummary {
  readonly totalMs: number;
  readonly functions: readonly Spent[];
  readonly modules: readonly Spent[];
}

/** Sums a profile up, the idle time left out. */
export function summarize(profile: Profile): ProfileSummary {
  const selfById = new Map<number, number>();
  for (const [at, id] of profile.samples.entries()) {
    selfById.set(id, (selfById.get(id) ?? 0) + (profile.timeDeltas[at] ?? 0) / 1000);
  }
  const busy = profile.nodes.filter(({ callFrame }) => callFrame.functionName !== '(idle)');
  return {
    totalMs: busy.reduce((sum, { id }) => sum + (selfById.get(id) ?? 0), 0),
    functions: sumBy(busy, selfById, nameOf),
    modules: sumBy(busy, selfById, moduleOf),
  };
}

function sumBy(
  nodes: Profile['nodes'],
  selfById: ReadonlyMap<number, number>,
  keyOf: (frame: Frame) => string,
): Spent[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const children = new Set(nodes.flatMap((node) => node.children ?? []));
  const [selfs, totals] = [new Map<string, number>(), new Map<string, number>()];
  const add = (sums: Map<string, number>, key: string, ms: number) => sums.set(key, (sums.get(key) ?? 0) + ms);
  // A stack of calls may be deeper than one of a recursive walk may be: nodes are left as they were entered.
  const open = nodes.filter(({ id }) => !children.has(id)).map((node) => ({ node, above: new Set<string>() }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const key = keyOf(next.node.callFrame);
    const own = selfById.get(next.node.id) ?? 0;
    const on = next.above.has(key) ? next.above : new Set([...next.above, key]);
    add(selfs, key, own);
    if (own > 0) for (const each of on) add(totals, each, own);
    for (const id of next.node.children ?? []) {
      const node = byId.get(id);
      if (node !== undefined) open.push({ node, above: on });
    }
  }
  return [...selfs].map(([name, selfMs]) => ({ name, selfMs, totalMs: totals.get(name) ?? 0 }));
}

function nameOf(frame: Frame): string {
  const name = frame.functionName === '' ? '(anonymous)' : frame.functionName;
  return frame.url === '' ? name : `${name} ${shortened(frame.url)}:${frame.lineNumber + 1}`;
}

/** A package as a whole, a file of the app, a module of Node; what V8 does itself by its name. */
function moduleOf({ url, functionName }: Frame): string {
  if (url === '') return functionName.startsWith('(') ? functionName : '(native)';
  return /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(url)?.[1] ?? shortened(url);
}

/** From the folder of the app or the package on. */
function shortened(url: string): string {
  const marks = ['/node_modules/', '/dist/', '/local/'];
  const at = Math.max(...marks.map((mark) => url.lastIndexOf(mark)));
  if (at < 0) return url.split('/').slice(-2).join('/');
  return url.slice(at + 1).replace(/^node_modules\//, '');
}

/** The most expensive functions and modules as text. */
export function renderProfile({ totalMs, functions, modules }: ProfileSummary, top: number): string {
  const share = (ms: number): string => `${((100 * ms) / totalMs).toFixed(1)} %`;
  const most = (spent: readonly Spent[], by: 'selfMs' | 'totalMs', title: string): string => {
    const sorted = spent.toSorted((a, b) => b[by] - a[by]).slice(0, top);
    const rows = sorted.map((one) => [Math.round(one[by]).toString(), share(one[by]), one.name]);
    return `${title}\n${table(['ms', 'of all', 'where'], rows)}`;
  };
  return [
    `${Math.round(totalMs)} ms sampled, idle time left out`,
    most(modules, 'selfMs', 'Modules, own code'),
    most(functions, 'selfMs', 'Functions, own code'),
    most(functions, 'totalMs', 'Functions with all they call'),
  ].join('\n\n');
}

const help = `Sums up a .cpuprofile, as npm run bench -- --profile DIR makes them.

  node test/bench/profile.ts FILE [--top N]
`;

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { top: { type: 'string', default: '25' } },
  });
  const [file] = positionals;
  const top = Number(values.top);
  if (file === undefined || !Number.isInteger(top) || top < 1) {
    process.stderr.write(help);
    process.exitCode = 2;
  } else {
    const profile = profileSchema.parse(JSON.parse(await readFile(file, 'utf8')));
    process.stdout.write(`${renderProfile(summarize(profile), top)}\n`);
  }
}
