import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { fitted } from '../../local/options.ts';

const root = resolve(import.meta.dirname, '../..');

/** Runs a script of `package.json` by its file. */
function run(script: string, ...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((ended) => {
    const child = execFile(process.execPath, [resolve(root, script), ...args], (_, stdout, stderr) =>
      ended({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

const scripts = [
  ['local/start.ts', 'npm start'],
  ['local/drill.ts', 'npm run drill'],
  ['local/chaos.ts', 'npm run chaos'],
  ['local/hub-lab/main.ts', 'npm run emulator'],
  ['local/host/main.ts', 'node local/host/main.ts'],
] as const;

test.each(scripts)('%s answers --help, and a wrong option with what is allowed', async (script, call) => {
  const [help, unknown] = await Promise.all([run(script, '--help'), run(script, '--colour')]);
  expect(help).toEqual({ code: 0, stderr: '', stdout: expect.stringContaining(call) });
  expect(unknown).toMatchObject({ code: 2, stdout: '' });
  expect(unknown.stderr).toMatch(/^Unknown option '--colour'/);
  expect(unknown.stderr).toContain(help.stdout);
  expect(unknown.stderr).not.toMatch(/\n\s+at /);
});

test('npm start refuses a port that was asked for and is taken', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { code, stderr } = await run('local/start.ts', '--port', `${port}`);
  taken.close();
  expect(code).toBe(2);
  expect(stderr).toContain(`--port: ${port} is taken. Choose another, or 0 for any free one.`);
});

test.each([
  ['local/start.ts', ['--port', '70000'], '--port must be a whole number from 0 to 65535, not "70000".'],
  ['local/start.ts', ['--devices'], "Option '--devices <value>' argument missing"],
  ['local/start.ts', ['--schedule', '0 0 0 30 2 *'], '--schedule names a day that no year has.'],
  ['local/start.ts', ['--schedule', 'hourly'], '--schedule must have six fields, not 1'],
  ['local/drill.ts', ['--devices', '9'], '--devices must be a whole number from 10, not "9".'],
  [
    'local/drill.ts',
    ['--story', 'war'],
    '--story must be disaster, warm-secondary, worst-night, there-and-back, not "war".',
  ],
  ['local/chaos.ts', ['--minutes', 'long'], '--minutes must be a whole number from 0, not "long".'],
  ['local/hub-lab/main.ts', ['--generation', '1999'], '--generation must be 2022 or 2024.'],
  ['local/host/main.ts', ['--port', 'http'], '--port must be a whole number from 0 to 65535, not "http".'],
  ['local/host/main.ts', ['--function-key', 'plain=K'], '--function-key takes NAME/KEY=VALUE.'],
])('%s %j is refused', async (script, args, message) => {
  const { code, stderr, stdout } = await run(script, ...args);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(message);
  expect(stderr).toContain('--help');
});

test('help for a screen breaks between words, below where the text of an option begins', () => {
  const text = 'hubs that take the next ones (default:';
  const help = `Runs all, and says so.\n\n  --port N  ${text} any)\n`;
  expect(fitted(help, 50)).toBe(`Runs all, and says so.\n\n  --port N  ${text}\n            any)\n`);
  expect(fitted(help)).toBe(help);
});

test('what runs until a signal outlives the reader of its output', async () => {
  const options = resolve(root, 'local/options.ts');
  const program = `
    const { outliveReader } = await import(${JSON.stringify(options)});
    outliveReader();
    process.stdin.once('data', () => {
      process.stdout.write('Stopping');
      setTimeout(() => process.stderr.write('stopped', () => process.exit(0)), 100);
    });
    process.stderr.write('ready');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program]);
  let said = '';
  child.stderr.on('data', (data: Buffer) => {
    said += data.toString();
    if (said !== 'ready') return;
    child.stdout.destroy();
    child.stdin.end('end');
  });
  const [code] = await once(child, 'close');
  expect({ code, said }).toEqual({ code: 0, said: 'readystopped' });
});
