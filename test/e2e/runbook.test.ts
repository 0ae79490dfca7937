import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { z } from 'zod';

const root = fileURLToPath(new URL('../..', import.meta.url));
const runbook = readFileSync(join(root, 'docs/RUNBOOK.md'), 'utf8');

/** A fenced block of the runbook: commands, or what is seen when they have run. */
interface Block {
  /** Number of its section. */
  readonly section: number;
  /** `sh`, `text`, or `sh azure` for what only a deployment has. */
  readonly language: string;
  readonly lines: readonly string[];
}

const blocks = readBlocks(runbook);

/** Every block in order, those of the rehearsal too. */
function readBlocks(markdown: string): Block[] {
  const blocks: Block[] = [];
  let section = 0;
  let open: { language: string; lines: string[] } | undefined;
  for (const line of markdown.split('\n').map((one) => one.replace(/^\s*/, ''))) {
    section = open === undefined ? Number(/^## (\d)/.exec(line)?.[1] ?? section) : section;
    const language = /^```(.*)$/.exec(line)?.[1];
    if (language === undefined) open?.lines.push(line);
    else if (open === undefined) open = { language, lines: [] };
    else {
      blocks.push({ section, ...open });
      open = undefined;
    }
  }
  return blocks;
}

/** Ends a shell: the next one has its variables, and the function that the runbook calls the tool by. */
const KEEP = 'status=$?; ! declare -F dr > /dev/null || export -f dr; env -0 > "$0"; exit $status';

/** Shells one after the other that hand their variables on, as one terminal would. */
class Shell {
  #env: NodeJS.ProcessEnv = process.env;
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  variable(name: string): string {
    return this.#env[name] ?? '';
  }

  async run(script: string): Promise<{ readonly exitCode: number; readonly output: string }> {
    const variables = join(this.#folder, 'variables');
    const child = spawn('bash', ['-c', `exec 2>&1\n${script}\n${KEEP}`, variables], {
      cwd: root,
      env: this.#env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
    const entries = (await readFile(variables, 'utf8')).split('\0').filter((entry) => entry.includes('='));
    this.#env = Object.fromEntries(
      entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
    );
    return { exitCode: typeof code === 'number' ? code : -1, output };
  }
}

/** Resolves with the line that `npm start` prints for the other terminal. */
async function exportLineOf(npmStart: ChildProcess): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let output = '';
  npmStart.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
    const line = /^ {2}(export NOTIFICATION_HUBS_DR_URL=.*)$/m.exec(output)?.[1];
    if (line !== undefined) resolve(line);
  });
  npmStart.once('exit', () => reject(new Error(`npm start ended:\n${output}`)));
  return promise;
}

/** Each promised line is in the output, in this order; `…` matches anything within a line. */
function expectSeen(promised: readonly string[], output: string): void {
  const seen = output.split('\n');
  let from = 0;
  for (const line of promised) {
    const parts = line
      .trim()
      .split('…')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    const pattern = new RegExp(`^\\s*${parts.join('.*')}${line.endsWith('…') ? '' : '\\s*$'}`);
    const at = seen.findIndex((one, index) => index >= from && pattern.test(one));
    if (at < 0) expect.fail(`The runbook promises "${line}", and this was seen:\n${output}`);
    from = at + 1;
  }
}

const rowSchema = z.object({
  platform: z.string(),
  isTemplate: z.boolean(),
  templateName: z.string(),
  handle: z.string(),
  tags: z.array(z.string()),
  installationId: z.string().nullish(),
});

/** The distinct rows of a hub, in a form that is equal for equal hubs. */
async function rowsOf(adminUrl: string, namespace: 'primary' | 'secondary'): Promise<string[]> {
  const answer = await fetch(`${adminUrl}/namespaces/${namespace}/hubs/devices/rows`);
  const lines = (await answer.text()).split('\n').filter((line) => line !== '');
  const rows = lines.map((line) => {
    const row = rowSchema.parse(JSON.parse(line));
    return JSON.stringify({ ...row, tags: [...row.tags].sort() });
  });
  return [...new Set(rows)].sort();
}

/** Of a list of snapshots the newest good one of another hub. */
function newestOfOther(list: string, hub: string): string {
  const rows = list.split('\n').map((line) => /^(\S+) +(\S+) .* good /.exec(line));
  return rows.find((row) => row !== null && row[2] !== hub)?.[1] ?? '';
}

const none = { missing: 0, extra: 0 };

/** `npx` takes most of a second to find the tool: once it has shown that it does, the tool is run without it. */
const npxOnce = `npx() {
  if [ -n "$NPX_WORKS" ]; then '${process.execPath}' "bin/$1.js" "\${@:2}"
  else command npx "$@" && export NPX_WORKS=1; fi
}
export -f npx`;

/** How many rows of one hub are missing in another, and how many that one has in addition. */
function difference(wanted: readonly string[], found: readonly string[]) {
  return {
    missing: wanted.filter((row) => !found.includes(row)).length,
    extra: found.filter((row) => !wanted.includes(row)).length,
  };
}

test('its own commands, in order, bring every device through failover, partial failure, rollback and failback', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dr-runbook-'));
  const arguments_ = ['local/start.ts', '--devices', '400', '--port', '0', '--hub-port', '0', '--admin-port', '0'];
  const npmStart = spawn(process.execPath, arguments_, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const shell = new Shell(folder);
    await shell.run(await exportLineOf(npmStart));
    const admin = shell.variable('ADMIN');

    const play = async (
      section: number,
      afterRun: (commands: string, output: string) => Promise<void> = async () => {},
    ) => {
      let last = { exitCode: 0, output: '' };
      let isJudged = true;
      const conclude = () => {
        if (!isJudged && last.exitCode !== 0) expect.fail(`Exit code ${last.exitCode}:\n${last.output}`);
      };
      for (const { language, lines } of blocks.filter((block) => block.section === section)) {
        if (language === 'text') {
          expectSeen(lines, last.output);
          isJudged = true;
        } else if (language === 'sh') {
          conclude();
          const target = /^ *into +(\S+)$/m.exec(last.output)?.[1] ?? '';
          const chosen = newestOfOther(last.output, shell.variable('HUB'));
          const commands = lines.join('\n').replace(/^export SNAPSHOT=….*$/m, `export SNAPSHOT=${chosen}`);
          const kept = commands.replace(/>(\$RUN\.md)$/m, '>"$PAGES"/$1');
          last = await shell.run(kept.replace(/^export HUB=….*$/m, `export HUB=${target}`));
          isJudged = false;
          await afterRun(lines.join('\n'), last.output);
        } else expect(language).toBe('sh azure');
      }
      conclude();
    };

    await shell.run(`${npxOnce}\nexport PAGES='${folder}'`);
    await play(1);
    const lost = await rowsOf(admin, 'primary');
    expect(await rowsOf(admin, 'secondary')).toEqual([]);
    await play(2, async (commands, output) => {
      // Each registration once, and no duplicate.
      if (commands.includes('broadcast')) expect(JSON.parse(output)).toMatchObject({ deliveries: lost.length });
    });
    expect(await readFile(join(folder, `${shell.variable('RUN')}.md`), 'utf8')).toContain('had written: ');
    expect(difference(lost, await rowsOf(admin, 'secondary'))).toEqual(none);
    await play(3);
    expect(difference(lost, await rowsOf(admin, 'secondary'))).toEqual(none);
    await play(4, async (commands) => {
      if (!commands.includes('rollback')) return;
      // Of what lives there now nothing was restored: five devices that registered by themselves.
      const left = await rowsOf(admin, 'secondary');
      expect(difference(left, lost)).toEqual({ missing: left.length, extra: lost.length });
      expect(left.length).toBeGreaterThanOrEqual(5);
    });
    const inUse = await rowsOf(admin, 'secondary');
    expect(lost.filter((row) => !inUse.includes(row)).length).toBeLessThan(lost.length / 10);
    await play(5);
    await play(6);
    const old = await rowsOf(admin, 'secondary');
    expect(difference(old, await rowsOf(admin, 'primary'))).toEqual(none);
  } finally {
    if (npmStart.exitCode === null && npmStart.kill('SIGTERM')) await once(npmStart, 'exit');
    await rm(folder, { recursive: true });
  }
}, 600_000);

test('it has 900 words at most', () => {
  expect(runbook.split(/\s+/).length).toBeLessThanOrEqual(900);
});
