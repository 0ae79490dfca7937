import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { table } from './report.ts';

/** What V8 writes with `--cpu-prof`: a tree of calls, and which node of it was running at each sample. */
const profileSchema = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() }),
    }),
  ),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
});
type Profile = z.infer<typeof profileSchema>;
type Frame = Profile['nodes'][number]['callFrame'];

const MOST_ROWS = 25;

/** The most expensive modules and functions by their own code, without idle time. */
function render({ nodes, samples, timeDeltas }: Profile): string {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const spent = samples.flatMap((id, at) => {
    const frame = frames.get(id);
    return frame === undefined || frame.functionName === '(idle)' ? [] : [{ frame, ms: (timeDeltas[at] ?? 0) / 1000 }];
  });
  const totalMs = spent.reduce((sum, { ms }) => sum + ms, 0);
  const most = (title: string, nameOf: (frame: Frame) => string): string => {
    const sums = new Map<string, number>();
    for (const { frame, ms } of spent) sums.set(nameOf(frame), (sums.get(nameOf(frame)) ?? 0) + ms);
    const sorted = [...sums].sort((a, b) => b[1] - a[1]).slice(0, MOST_ROWS);
    const rows = sorted.map(([name, ms]) => [ms.toFixed(0), `${((100 * ms) / totalMs).toFixed(1)} %`, name]);
    return `${title}\n${table(['ms', 'of all', 'where'], rows)}`;
  };
  return [`${totalMs.toFixed(0)} ms sampled`, most('Modules', moduleOf), most('Functions', functionOf)].join('\n\n');
}

/** A package as a whole, or a file; what V8 does itself by its name. */
function moduleOf({ url, functionName }: Frame): string {
  if (url === '') return functionName.startsWith('(') ? functionName : '(native)';
  return /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? url.replace(/.*\/(dist|local)\//, '$1/');
}

function functionOf(frame: Frame): string {
  return `${frame.functionName || '(anonymous)'} ${moduleOf(frame)}:${frame.lineNumber + 1}`;
}

const profile = profileSchema.parse(JSON.parse(await readFile(process.argv[2] ?? '', 'utf8')));
process.stdout.write(`${render(profile)}\n`);
