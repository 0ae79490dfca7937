import { describe, expect, test } from 'vitest';
import { openSettings } from '../../src/settings/reader.ts';
import { parseStorageSettings } from '../../src/settings/storage.ts';

function parse(env: Record<string, string>) {
  const settings = openSettings(env);
  const storage = parseStorageSettings(settings);
  return { storage, faults: settings.faults.map((fault) => fault.message), warnings: settings.warnings };
}

const blobUri = 'https://acct.blob.core.windows.net';
const queueUri = 'https://acct.queue.core.windows.net';
const uris = { SNAPSHOT_STORAGE__blobServiceUri: blobUri, SNAPSHOT_STORAGE__queueServiceUri: queueUri };
const withKey = 'AccountName=acct;AccountKey=a2V5';

describe('a connection string', () => {
  test.each([
    withKey,
    `DefaultEndpointsProtocol=https;${withKey};EndpointSuffix=core.windows.net`,
    'UseDevelopmentStorage=true',
    `BlobEndpoint=${blobUri};QueueEndpoint=${queueUri};SharedAccessSignature=sv=2022&sig=x`,
  ])('is accepted: %s', (value) => {
    expect(parse({ SNAPSHOT_STORAGE: value })).toEqual({
      storage: { kind: 'connectionString', value },
      faults: [],
      warnings: [],
    });
  });

  test.each([
    ['text', /not Name=Value/],
    ['AccountName=acct', /needs AccountName and AccountKey/],
    ['AccountName=acct;AccountKey=', /needs AccountName and AccountKey/],
    [`BlobEndpoint=${blobUri};SharedAccessSignature=sv=2022`, /BlobEndpoint and QueueEndpoint/],
    ['Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=x;SharedAccessKey=y', /AccountName/],
  ])('is refused: %s', (value, reason) => {
    expect(parse({ SNAPSHOT_STORAGE: value })).toMatchObject({
      storage: undefined,
      faults: [expect.stringMatching(reason)],
    });
  });
});

describe('as the Functions host does', () => {
  test('the name with AzureWebJobs before it comes first, and the other is reported as unused', () => {
    const prefixed = 'AccountName=other;AccountKey=a2V5';
    const both = { AzureWebJobsSNAPSHOT_STORAGE: prefixed, SNAPSHOT_STORAGE: withKey };
    expect(parse({ AzureWebJobsSNAPSHOT_STORAGE: prefixed })).toMatchObject({
      storage: { value: prefixed },
      warnings: [],
    });
    expect(parse(both)).toMatchObject({
      storage: { value: prefixed },
      warnings: ['SNAPSHOT_STORAGE is not used, because AzureWebJobsSNAPSHOT_STORAGE is set, too.'],
    });
  });

  test('a connection string wins over URIs, which are reported as unused', () => {
    expect(parse({ SNAPSHOT_STORAGE: withKey, ...uris })).toMatchObject({
      storage: { kind: 'connectionString' },
      faults: [],
      warnings: ['SNAPSHOT_STORAGE is a connection string, so SNAPSHOT_STORAGE__… are not used.'],
    });
  });

  test('names of the parts are read in any case', () => {
    expect(
      parse({ SNAPSHOT_STORAGE__BLOBSERVICEURI: blobUri, SNAPSHOT_STORAGE__queueserviceuri: queueUri }),
    ).toMatchObject({
      storage: { kind: 'identity', blobServiceUri: blobUri, queueServiceUri: queueUri },
      warnings: [],
    });
  });
});

describe('an identity', () => {
  test('is the system-assigned one without a client id', () => {
    expect(parse(uris)).toEqual({
      storage: { kind: 'identity', blobServiceUri: blobUri, queueServiceUri: queueUri },
      faults: [],
      warnings: [],
    });
  });

  test('is the user-assigned one with it', () => {
    const identity = { SNAPSHOT_STORAGE__credential: 'managedidentity', SNAPSHOT_STORAGE__clientId: 'c-1' };
    expect(parse({ ...uris, ...identity })).toMatchObject({ storage: { clientId: 'c-1' }, faults: [], warnings: [] });
  });

  test('needs no more than the account name', () => {
    expect(parse({ SNAPSHOT_STORAGE__accountName: 'acct' })).toMatchObject({
      storage: { kind: 'identity', blobServiceUri: blobUri, queueServiceUri: queueUri },
    });
  });

  test('may have slashes at the end of its addresses', () => {
    expect(parse({ ...uris, SNAPSHOT_STORAGE__blobServiceUri: `${blobUri}/` })).toMatchObject({
      storage: { blobServiceUri: blobUri },
    });
  });

  test.each<[string, Record<string, string>, readonly RegExp[]]>([
    ['only blobs', { SNAPSHOT_STORAGE__blobServiceUri: blobUri }, [/^SNAPSHOT_STORAGE__queueServiceUri: is missing/]],
    [
      'only a client id',
      { SNAPSHOT_STORAGE__clientId: 'c' },
      [/blobServiceUri: is missing/, /queueServiceUri: is missing/],
    ],
    [
      'plain http',
      { ...uris, SNAPSHOT_STORAGE__blobServiceUri: 'http://acct.blob' },
      [/blobServiceUri: must be https/],
    ],
    [
      'a SAS',
      { ...uris, SNAPSHOT_STORAGE__queueServiceUri: `${queueUri}/?sig=s3cret` },
      [/^((?!s3cret).)*without path or SAS$/],
    ],
    ['no address', { ...uris, SNAPSHOT_STORAGE__blobServiceUri: 'acct' }, [/blobServiceUri: must be/]],
    ['a wrong account name', { SNAPSHOT_STORAGE__accountName: 'my_acct' }, [/accountName: must be 3 to 24/]],
    ['two accounts', { ...uris, SNAPSHOT_STORAGE__accountName: 'other' }, [/different accounts/, /different accounts/]],
    [
      'another credential',
      { ...uris, SNAPSHOT_STORAGE__credential: 'secret' },
      [/__credential: must be managedidentity/],
    ],
  ])('is refused with %s', (_, env, reasons) => {
    const { storage, faults } = parse(env);
    expect(storage).toBeUndefined();
    expect(faults).toEqual(reasons.map((reason) => expect.stringMatching(reason)));
  });

  test('with a part that does not exist is warned of', () => {
    expect(parse({ ...uris, SNAPSHOT_STORAGE__clientID_: 'c' })).toMatchObject({
      storage: { kind: 'identity' },
      warnings: ['SNAPSHOT_STORAGE__clientid_ is not a setting of the storage connection.'],
    });
  });
});
