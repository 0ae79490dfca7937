import { expect, test } from 'vitest';
import { parseHostJson } from '../../local/host/host-json.ts';

test('a bare host.json has the documented defaults', () => {
  expect(parseHostJson({ version: '2.0' })).toEqual({
    routePrefix: 'api',
    functionTimeoutMs: 30 * 60_000,
    queues: {
      batchSize: 16,
      newBatchThreshold: 8,
      maxPollingIntervalMs: 60_000,
      failedVisibilityMs: 0,
      maxDequeueCount: 5,
      messageEncoding: 'base64',
    },
    logLevels: {},
  });
});

test('time spans, the encoding and an empty route prefix are read', () => {
  const parsed = parseHostJson({
    version: '2.0',
    functionTimeout: '1.02:03:04',
    extensions: {
      http: { routePrefix: '/' },
      queues: { maxPollingInterval: '00:00:00.250', visibilityTimeout: '00:00:30', messageEncoding: 'None' },
    },
  });
  expect(parsed.functionTimeoutMs).toBe(((26 * 60 + 3) * 60 + 4) * 1000);
  expect(parsed.routePrefix).toBe('');
  expect(parsed.queues).toMatchObject({
    maxPollingIntervalMs: 250,
    failedVisibilityMs: 30_000,
    messageEncoding: 'none',
  });
});

test('no function timeout is -1', () => {
  expect(parseHostJson({ version: '2.0', functionTimeout: '-1' }).functionTimeoutMs).toBeUndefined();
});

test('AzureFunctionsJobHost__ settings override the file', () => {
  const input = { version: '2.0', extensions: { queues: { batchSize: 2, maxDequeueCount: 3 } } };
  const { queues } = parseHostJson(input, { AzureFunctionsJobHost__extensions__queues__batchSize: '7', PATH: 'x' });
  expect(queues).toMatchObject({ batchSize: 7, maxDequeueCount: 3 });
});

test.each([
  [{}, 'version'],
  [{ version: '2.0', functionTimeout: 'soon' }, 'time span'],
  [{ version: '2.0', extensions: { queues: { batchSize: 33 } } }, 'batchSize'],
  [{ version: '2.0', logging: { logLevel: { default: 'Loud' } } }, 'log level'],
])('%j is refused', (input, reason) => {
  expect(() => parseHostJson(input)).toThrow(reason);
});
