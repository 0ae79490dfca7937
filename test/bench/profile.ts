import { readFile } from 'node:fs/promises';
import { Command } from '@commander-js/extra-typings';
import { z } from 'zod';
import { table } from './table.ts';
import { runTool, wholeNumber } from './tool.ts';

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

/** Sums up a profile without its idle time. */
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
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const keys = new Map(nodes.map(({ id, callFrame }) => [id, keyOf(callFrame)]));
  const sums = new Map<string, { selfMs: number; totalMs: number }>();
  for (const [id, own] of keys) {
    const ms = selfById.get(id) ?? 0;
    // Every name once, from the node up to the root.
    const above = new Set<string>();
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) above.add(keys.get(at) ?? '');
    above.delete('');
    for (const name of above) {
      const { selfMs, totalMs } = sums.get(name) ?? { selfMs: 0, totalMs: 0 };
      sums.set(name, { selfMs: name === own ? selfMs + ms : selfMs, totalMs: totalMs + ms });
    }
  }
  return [...sums].map(([name, sum]) => ({ name, ...sum }));
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

if (import.meta.main) {
  await runTool(async () => {
    const command = new Command('node test/bench/profile.ts')
      .description('Sums up a .cpuprofile, as npm run bench -- --profile DIR makes them.')
      .argument('<file>')
      .option('--top <n>', 'how many of each', wholeNumber, 25)
      .exitOverride()
      .parse();
    const profile = profileSchema.parse(JSON.parse(await readFile(command.args[0] ?? '', 'utf8')));
    process.stdout.write(`${renderProfile(summarize(profile), command.opts().top)}\n`);
  });
}
