import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createAzureBlobs } from '../../src/azure/blobs.ts';
import { createAzureStepQueue } from '../../src/azure/step-queue.ts';
import { DrError } from '../../src/core/errors.ts';
import { parseHubConnection } from '../../src/hub/access/connection-string.ts';
import { createHub } from '../../src/hub/client.ts';
import { Limiter } from '../../src/hub/pace/limiter.ts';
import { parseConfig } from '../../src/settings/config.ts';
import { queueNames } from '../../src/settings/queues.ts';
import { runs } from '../support/property-runs.ts';
import { codePoint } from './code-point.ts';

const clock = { now: Date.now, sleep: async (): Promise<void> => {} };
/** Long enough that it is nowhere by chance. */
const secret = 'c2VjcmV0LWtleS1vZi10aGUtdGVzdA==';

const odd = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 30 }), fc.string({ unit: codePoint, maxLength: 30 }));

/** Parts as they should be, with some left out, doubled, out of order, in other case, or of odd content. */
function connectionStringOf(parts: Readonly<Record<string, readonly string[]>>): fc.Arbitrary<string> {
  const part = fc
    .constantFrom(...Object.keys(parts))
    .chain((name) =>
      fc
        .tuple(
          fc.constantFrom(name, name.toLowerCase(), ` ${name} `),
          fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...(parts[name] ?? [''])) }, { weight: 1, arbitrary: odd }),
          fc.constantFrom('=', '=', '=', '=', ' = ', ''),
        )
        .map(([written, value, equals]) => `${written}${equals}${value}`),
    );
  const whole = fc.constant(Object.entries(parts).map(([name, [value = '']]) => `${name}=${value}`));
  const ordered = fc.oneof(
    fc.array(fc.oneof({ weight: 9, arbitrary: part }, { weight: 1, arbitrary: odd }), { maxLength: 8 }),
    fc.tuple(whole, fc.array(part, { maxLength: 3 })).map(([all, more]) => [...all, ...more]),
    whole.chain((all) => fc.shuffledSubarray(all, { minLength: 2 })),
  );
  return fc.tuple(ordered, fc.constantFrom(';', ';', '; ', ';;')).map(([list, separator]) => list.join(separator));
}

const hubStrings = connectionStringOf({
  Endpoint: [
    ...['sb://one.servicebus.windows.net/', 'https://one.example', 'http://127.0.0.1:1', 'http://[::1]'],
    ...['sb://', 'sb:///', 'javascript:x', 'sb://a b', '//x', 'sb://ü.example'],
  ],
  SharedAccessKeyName: ['DefaultFullSharedAccessSignature', 'RootManageSharedAccessKey', ''],
  SharedAccessKey: [secret],
  EntityPath: ['devices', 'DEVICES', 'others', '../x'],
});

const storageStrings = connectionStringOf({
  DefaultEndpointsProtocol: ['https', 'http', 'ftp', 'HTTPS'],
  AccountName: ['account', 'devstoreaccount1', 'a/b', 'a b', 'ACCOUNT', 'ä'],
  AccountKey: [secret],
  EndpointSuffix: ['core.windows.net', 'core.chinacloudapi.cn', '', '/', 'a b', ':'],
  BlobEndpoint: ['http://127.0.0.1:1/account', 'https://account.blob.core.windows.net', 'x', 'http://', 'https://a b'],
  QueueEndpoint: ['http://127.0.0.1:1/account', 'https://account.queue.core.windows.net', 'x', 'http://'],
  SharedAccessSignature: [`sv=2024-01-01&sig=${secret}`, '?sig=x'],
  UseDevelopmentStorage: ['true', 'false', 'TRUE', 'maybe'],
  DevelopmentStorageProxyUri: ['http://127.0.0.1', 'x'],
});

/** `accepted`, or `refused` with a code and without the secret; anything else fails the test. */
function outcomeOf(work: () => unknown): 'accepted' | 'refused' {
  try {
    work();
    return 'accepted';
  } catch (error) {
    if (!(error instanceof DrError)) throw error;
    expect(error.code).toBe('SettingsInvalid');
    expect(JSON.stringify([error.message, error.target, error.details])).not.toContain(secret);
    return 'refused';
  }
}

test('any connection string of a hub is refused with a code, or serves to call the hub', () => {
  const outcomes = { accepted: 0, refused: 0 };
  fc.assert(
    fc.property(hubStrings, (text) => {
      const outcome = outcomeOf(() => {
        const connection = parseHubConnection(text, 'devices', 'PRIMARY_HUB_CONNECTION');
        expect(connection.ref.namespace).not.toBe('');
        const limiter = new Limiter({ maxConcurrency: 1, clock });
        return createHub({ connection, clock, random: Math.random, limiter }).close();
      });
      outcomes[outcome] += 1;
    }),
    { numRuns: runs(1000), seed: 1 },
  );
  expect(Math.min(outcomes.accepted, outcomes.refused)).toBeGreaterThan(20);
});

test('any connection string of the storage is refused with a code, or serves to open blobs and queue', () => {
  const outcomes = { accepted: 0, refused: 0 };
  fc.assert(
    fc.property(storageStrings, (text) => {
      const outcome = outcomeOf(() => {
        const { storage } = parseConfig({
          PRIMARY_HUB_CONNECTION: 'Endpoint=sb://one.example/;SharedAccessKeyName=a;SharedAccessKey=b',
          PRIMARY_HUB_NAME: 'devices',
          SECONDARY_HUB_CONNECTION: 'Endpoint=sb://two.example/;SharedAccessKeyName=a;SharedAccessKey=b',
          SECONDARY_HUB_NAME: 'devices',
          SNAPSHOT_STORAGE: text,
        });
        createAzureBlobs({ connection: storage, container: 'hub-snapshots' });
        createAzureStepQueue({ connection: storage, queues: queueNames('dr-steps', []) });
      });
      outcomes[outcome] += 1;
    }),
    { numRuns: runs(2000), seed: 1 },
  );
  expect(Math.min(outcomes.accepted, outcomes.refused)).toBeGreaterThan(20);
});
