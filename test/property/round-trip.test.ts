import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type EmulatedHub, type Emulator, startEmulator } from '../../local/hub-lab/index.ts';
import { startBackup } from '../../src/app/backup/start.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { recordKey } from '../../src/core/registration/record.ts';
import { canonicalRow, parseRegistration } from '../../src/core/registration/registration.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { parseHubConnection } from '../../src/hub/access/connection-string.ts';
import { createHub, type HubClient } from '../../src/hub/client.ts';
import { Limiter } from '../../src/hub/pace/limiter.ts';
import { realWorld } from '../../src/world.ts';
import { createEngine } from '../support/engine.ts';
import { runs } from '../support/property-runs.ts';
import { aDescription, render } from './descriptions.ts';

const FAR = Date.parse('2099-01-01T00:00:00Z');

/** Our own client against an emulated hub. */
function clientOf(emulator: Emulator, namespace: string): HubClient {
  const connection = parseHubConnection(emulator.namespace(namespace).connectionString(), 'devices', 'TEST');
  return createHub({
    connection,
    clock: realWorld,
    random: () => 0.5,
    limiter: new Limiter({ maxConcurrency: 32, clock: realWorld }),
  });
}

/** Backs the primary up, restores into the secondary, and gives the restore's last view. */
async function roundTrip(emulator: Emulator) {
  const [primary, secondary] = [clientOf(emulator, 'primary'), clientOf(emulator, 'secondary')];
  const engine = createEngine({
    policy: { settleSeconds: 0, maxFailurePercent: 100 },
    refs: { primary: primary.ref, secondary: secondary.ref },
    wrap: () => ({ primary, secondary, world: realWorld }),
  });
  await startBackup(engine.app, 'http');
  await engine.drain();
  const { run } = await startRestore(engine.app, parseRestoreRequest(''));
  await engine.drain();
  const view = await readRestoreView(engine.app, run.id);
  await Promise.all([primary.close(), secondary.close()]);
  return view;
}

/** By record: its rows' canonical forms, equal ones once. */
function contentOf(hub: EmulatedHub): Map<string, string[]> {
  const content = new Map<string, string[]>();
  for (const { xml } of hub.registrations()) {
    const key = recordKey(parseRegistration(xml));
    content.set(key, [...new Set([...(content.get(key) ?? []), canonicalRow(xml)])].sort());
  }
  return new Map([...content].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Choices that write a description the way the service does, without prefixes of its own. */
function* plainly(): Generator<number> {
  for (;;) yield 2;
}

const text = fc.string({
  unit: fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...'abc {}":,$()\\') },
    {
      weight: 4,
      arbitrary: fc.constantFrom('<', '>', '&', "'", ']]>', '<![CDATA[', '\n', '\r\n', '\t', '</BodyTemplate>', '&lt;'),
    },
    { weight: 1, arbitrary: fc.constantFrom('é', '日本', '😀', '\u2028', '\u00a0') },
  ),
  minLength: 1,
  maxLength: 40,
});
const tag = fc.string({ unit: fc.constantFrom(...'abcXYZ019_@#.:-'), minLength: 1, maxLength: 20 });
const token = fc.string({ unit: fc.constantFrom(...'ABCDEF0123456789'), minLength: 8, maxLength: 40 });
const name = fc
  .string({ unit: fc.constantFrom(...'abc XYZ-_.é'), minLength: 1, maxLength: 12 })
  .filter((one) => one.trim() === one);

const template = fc.record(
  {
    body: text,
    headers: fc.dictionary(
      fc.stringMatching(/^[A-Za-z][A-Za-z-]{0,10}$/),
      text.filter((one) => one.trim() !== ''),
      { maxKeys: 3, noNullPrototype: true },
    ),
    tags: fc.array(tag, { maxLength: 3 }),
    expiry: fc.constantFrom('2031-05-07T16:18:32.6641371-08:00', '2030-01-01T00:00:00Z'),
  },
  { requiredKeys: ['body'] },
);

const platformNames = ['apns', 'wns', 'mpns', 'adm', 'gcm', 'fcmv1', 'xiaomi', 'baidu', 'browser'] as const;

const installation = fc
  .record(
    {
      platform: fc.constantFrom(...platformNames),
      token,
      userId: fc.string({ unit: fc.constantFrom(...'abc019-_@#.:='), minLength: 1, maxLength: 12 }),
      tags: fc.array(tag, { maxLength: 6 }),
      pushVariables: fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), text, {
        minKeys: 1,
        maxKeys: 3,
        noNullPrototype: true,
      }),
      templates: fc.dictionary(name, template, { maxKeys: 3, noNullPrototype: true }),
      expiryDays: fc.integer({ min: 30, max: 400 }),
    },
    { requiredKeys: ['platform', 'token'] },
  )
  .map(({ token: handle, expiryDays, templates, ...rest }) => ({
    ...rest,
    ...(templates === undefined ? {} : { templates: listable(rest.platform, rest.tags ?? [], templates) }),
    pushChannel:
      rest.platform === 'browser'
        ? { endpoint: `https://push.example/${handle}`, p256dh: 'p', auth: 'a' }
        : rest.platform === 'baidu'
          ? `${handle}-channel`
          : handle,
    ...(expiryDays === undefined
      ? {}
      : { expirationTime: new Date(Date.now() + expiryDays * 86_400_000).toISOString() }),
  }));

/** The order of templates, headers and variables means nothing. */
function sortKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => [key, sortKeys(inner)]);
}

interface GivenTemplate {
  readonly body: string;
  readonly headers?: Record<string, string>;
  readonly tags?: string[];
  readonly expiry?: string;
}

/**
 * What of templates a listing shows, and so a backup can hold (service-facts 1.5 and 1.7): headers of three platforms,
 * an expiry of one, and not whether a template's tag is also its own where the installation has it anyway.
 */
function listable(platform: string, tags: readonly string[], templates: Record<string, GivenTemplate>) {
  const known = new Set(tags.map((one) => one.toLowerCase()));
  const entries = Object.entries(templates).map(([key, { headers = {}, expiry, tags: own = [], body }]) => {
    const dated = expiry === undefined ? {} : { expiry };
    const shown = platform === 'apns' ? { headers, ...dated } : ['wns', 'mpns'].includes(platform) ? { headers } : {};
    return [key, { body, tags: own.filter((one) => !known.has(one.toLowerCase())), ...shown }];
  });
  return Object.fromEntries(entries);
}

test('every kind of registration comes out of backup and restore equal, elements we do not know included', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(aDescription, { minLength: 1, maxLength: 25 }), async (given) => {
      const hubs = [{ name: 'devices', switches: { unknownElements: 'keep' } as const }];
      await using emulator = await startEmulator({
        namespaces: [
          { name: 'primary', hubs },
          { name: 'secondary', hubs },
        ],
      });
      const client = clientOf(emulator, 'primary');
      for (const [index, { source }] of given.entries()) {
        await client.putRegistration(`${index + 1}-7-1`, render(source, plainly()), { deadlineAt: FAR });
      }
      await client.close();
      const before = contentOf(emulator.hub('primary', 'devices'));
      const view = await roundTrip(emulator);
      expect(view.counts).toMatchObject({ total: before.size, failed: 0, pending: 0 });
      expect(contentOf(emulator.hub('secondary', 'devices'))).toEqual(before);
    }),
    { numRuns: runs(15) },
  );
}, 120_000);

test('installations come back as the same installations, their rows equal', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(installation, { minLength: 1, maxLength: 25 }), async (given) => {
      await using emulator = await startEmulator();
      const client = clientOf(emulator, 'primary');
      for (const [index, one] of given.entries()) {
        const id = `device/${index} ${index}@x`.replaceAll(' ', '-');
        await client.putInstallation(id, JSON.stringify({ installationId: id, ...one }), { deadlineAt: FAR });
      }
      await client.close();
      const [primary, secondary] = [emulator.hub('primary', 'devices'), emulator.hub('secondary', 'devices')];
      const view = await roundTrip(emulator);
      expect(view).toMatchObject({ status: 'Succeeded', counts: { created: [...primary.installations()].length } });
      expect(contentOf(secondary)).toEqual(contentOf(primary));
      const byText = (hub: EmulatedHub) => [...hub.installations()].map((one) => JSON.stringify(sortKeys(one))).sort();
      expect(byText(secondary)).toEqual(byText(primary));
    }),
    { numRuns: runs(15) },
  );
}, 120_000);

test('a seeded hub, as real applications fill one, comes back whole', async () => {
  await using emulator = await startEmulator();
  emulator.hub('primary', 'devices').seed({ devices: 1500, seed: 99 });
  const before = contentOf(emulator.hub('primary', 'devices'));
  expect(await roundTrip(emulator)).toMatchObject({ status: 'Succeeded', counts: { failed: 0, pending: 0 } });
  expect([...contentOf(emulator.hub('secondary', 'devices')).keys()]).toEqual([...before.keys()]);
});
