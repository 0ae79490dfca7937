import { expect, test } from 'vitest';
import { isClearText } from '../../src/cli/parts/connection.ts';
import { runIn } from './fake-terminal.ts';
import { type ScriptedAnswer, startScriptedServer } from './scripted-server.ts';
import { aCard } from './views.ts';

const here = { NOTIFICATION_HUBS_DR_URL: 'http://127.0.0.1:9', NOTIFICATION_HUBS_DR_KEY: 'secret-key' };

test.for([
  [['stauts'], "unknown command 'stauts'\n(Did you mean status?)"],
  [['stauts', '--help'], "unknown command 'stauts'\n(Did you mean status?)"],
  [['help', 'stauts'], "unknown command 'stauts'\n(Did you mean status?)"],
  [['frobnicate'], "unknown command 'frobnicate'\nAdd --help to see commands and options."],
  [['restore', '--dryrun'], 'Did you mean --dry-run?'],
  [['status', '--watch'], "unknown option '--watch'"],
  [['status', 'now'], "too many arguments for 'status'. Expected 0 arguments but got 1: now."],
  [['report'], "missing required argument 'id'"],
  [['report', ''], 'The id is empty.'],
  [['report', 'a', 'b'], 'Expected 1 argument but got 2: a, b.'],
  [['restore', '--target', 'tertiary'], 'Allowed choices are standby, secondary, primary.'],
  [['restore', '--order', 'vip'], 'Write platforms=Apple,FcmV1'],
  [['restore', '--only-platforms', 'Apple,,Adm'], "option '--only-platforms <names>' argument 'Apple,,Adm' is invalid"],
  [['restore', '--note'], "option '--note <text>' argument missing"],
  [['restore', '--note', '--watch'], '--note needs a value'],
  [['status', '--url', 'somewhere'], 'cannot be read as a URL'],
  [['status', '--url', 'ftp://somewhere'], 'must be the address'],
  [['status', '--key', 'a key\n'], 'contains characters that no key has'],
] as const)('%j is wrong use: exit code 2 and what to do instead', async ([argv, said]) => {
  const { exitCode, out, err } = await runIn(argv, { env: here });
  expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' });
  expect(err).toContain(said);
});

test('wrong use with --json is a document, too', async () => {
  const { exitCode, out } = await runIn(['stauts', '--json'], { env: here });
  expect(exitCode).toBe(2);
  expect(JSON.parse(out)).toMatchObject({ error: { code: 'WrongUse', message: expect.stringContaining('status') } });
});

test('a missing address or key says where to get it', async () => {
  const noUrl = await runIn(['status']);
  expect(noUrl).toMatchObject({ exitCode: 2, err: expect.stringContaining('export NOTIFICATION_HUBS_DR_URL=') });
  const noKey = await runIn(['status'], { env: { NOTIFICATION_HUBS_DR_URL: 'http://127.0.0.1:9' } });
  expect(noKey).toMatchObject({ exitCode: 2, err: expect.stringContaining('az functionapp keys list') });
});

test('a person is asked for the key', async () => {
  await using server = await startScriptedServer({ 'GET /api/status': [{ body: aCard }] });
  const { exitCode, err } = await runIn(['status', '--url', server.url], { typed: ['typed-key'] });
  expect(exitCode).toBe(0);
  expect(err).toContain('Function key of');
  expect(server.received[0]?.key).toBe('typed-key');
});

test('an address that holds a key is refused without being repeated', async () => {
  const { exitCode, err } = await runIn(['status', '--url', 'https://app.example/api/status?code=SECRET'], {
    env: here,
  });
  expect(exitCode).toBe(2);
  expect(err).not.toContain('SECRET');
});

test('a key that would cross the network unencrypted is warned about, and only then', () => {
  expect(isClearText('http://app.example')).toBe(true);
  expect(isClearText('https://app.example')).toBe(false);
  expect(isClearText('http://127.0.0.1:7071')).toBe(false);
  expect(isClearText('http://[::1]:7071')).toBe(false);
});

test('a misspelt option or one without its value never quotes the key', async () => {
  const misspelt = await runIn(['status', '--kye=-SECRET'], { env: here });
  expect(misspelt).toMatchObject({ exitCode: 2, err: expect.stringContaining('Did you mean --key?') });
  const missing = await runIn(['status', '--key', '-SECRET'], { env: here });
  expect(missing).toMatchObject({ exitCode: 2, err: expect.stringContaining('--key=VALUE') });
  expect(misspelt.err + missing.err).not.toContain('SECRET');
});

test('help is for the whole tool or one command, warns of --key, and is on stdout only when asked for', async () => {
  const asked = await runIn(['--help']);
  expect(asked).toMatchObject({ exitCode: 0, err: '', out: expect.stringContaining('Process lists show a flag!') });
  expect(await runIn(['help'])).toEqual(asked);
  const bare = await runIn([]);
  expect(bare).toMatchObject({ exitCode: 2, out: '', err: asked.out });
  const one = await runIn(['restore', '--help']);
  expect(one.out).toContain('--only-tags <expr>');
  expect(await runIn(['help', 'restore'])).toEqual(one);
});

async function statusOf(answer: ScriptedAnswer) {
  await using server = await startScriptedServer({ 'GET /api/status': [answer] });
  const outcome = await runIn(['status'], { env: { ...here, NOTIFICATION_HUBS_DR_URL: server.url } });
  return { ...outcome, received: server.received.length };
}

test.for([
  ['a wrong key', { status: 401 }, 'does not accept the key (401)'],
  ['an address without the app', { status: 404, body: 'Not Found' }, 'not as notification-hubs-dr does'],
  ['a web page', { body: '<html></html>' }, 'not as notification-hubs-dr does'],
  ['an app that is away', { status: 503 }, 'answers 503. Check the address'],
] as const)('%s is reported as what it is', async ([, answer, said]) => {
  const { exitCode, err } = await statusOf(answer);
  expect(exitCode).toBe(1);
  expect(err).toContain(said);
  expect(err).not.toContain('secret-key');
});

test('a redirect is not followed with the key, but named', async () => {
  await using other = await startScriptedServer({ 'GET /api/status': [{ body: aCard }] });
  const { exitCode, err } = await statusOf({ status: 301, headers: { location: `${other.url}/api/status` } });
  expect(exitCode).toBe(1);
  expect(err).toContain(`redirects to ${other.url}.`);
  expect(other.received).toEqual([]);
});

test('an address that does not answer is reported with the reason', async () => {
  const { exitCode, err } = await runIn(['status', '--url', 'http://127.0.0.1:1'], { env: here });
  expect(exitCode).toBe(1);
  expect(err).toMatch(/Nothing answers at http:\/\/127\.0\.0\.1:1 \((?:ECONNREFUSED|bad port)\)\. Check the address/);
});
