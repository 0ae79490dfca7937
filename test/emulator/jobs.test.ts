import { createAppleNotification, type NotificationHubJob } from '@azure/notification-hubs';
import { expect, it, test } from 'vitest';
import { type Emulator, type HubSwitches, startEmulator } from '../../local/hub-lab/index.ts';
import { openJobStorage } from '../support/job-storage.ts';
import { anApple, caller, describe, textOf } from './hub-caller.ts';
import { sdk } from './sdk-client.ts';

const line = (content: string): string =>
  describe('RegistrationDescription', content).replace('>', ' i:type="AppleRegistrationDescription">');

async function open(switches: Partial<HubSwitches> = {}) {
  const emulator = await startEmulator({ namespaces: [{ name: 'n', hubs: [{ name: 'h', switches }] }] });
  const storage = await openJobStorage();
  const client = sdk(emulator.namespace('n'));
  const run = async (job: NotificationHubJob): Promise<NotificationHubJob> => {
    const { jobId = '' } = await client.submitNotificationHubJob(job);
    await expect.poll(async () => (await client.getNotificationHubJob(jobId)).status).toMatch(/Completed|Failed/);
    return client.getNotificationHubJob(jobId);
  };
  const exported = async (sas = storage.output()) =>
    run({ type: 'ExportRegistrations', outputContainerUrl: await sas });
  const imported = async (type: NotificationHubJob['type'], lines: string[]) => {
    const importFileUrl = await storage.input(lines.join('\n'));
    const job = await run({ type, outputContainerUrl: await storage.output(), importFileUrl });
    const { OutputFilePath = '', FailedFilePath = '' } = job.outputProperties ?? {};
    return { output: await storage.read(OutputFilePath), failed: await storage.read(FailedFilePath) };
  };
  return { emulator, hub: emulator.hub('n', 'h'), storage, client, run, exported, imported, ...disposable(emulator) };
}

const disposable = (emulator: Emulator) => ({ [Symbol.asyncDispose]: () => emulator.close() });

it('writes an export below the namespace and the hub, with two slashes, one, or in silence', async () => {
  for (const [jobPaths, path] of [
    ['two-slashes', 'n//h'],
    ['one-slash', 'n/h'],
    ['not-stated', undefined],
  ] as const) {
    await using bench = await open({ jobPaths });
    const { jobId, outputProperties } = await bench.exported();
    const stated = outputProperties?.['OutputFilePath'];
    expect(stated).toBe(path === undefined ? undefined : `${path}/${jobId}/Output.txt`);
    expect(await bench.storage.read(stated ?? `n//h/${jobId}/Output.txt`)).toBe('');
  }
});

it('exports in each shape that was seen or feared', async () => {
  const body = '<BodyTemplate><![CDATA[a\n<b>]]></BodyTemplate>';
  for (const [switches, expected] of [
    [{}, [1, 1, /<!\[CDATA\[a\n<b>\]\]>/]],
    [{ exportRoot: 'own', exportLineEnd: 'crlf' }, [0, 1, /AppleTemplateRegistrationDescription>\r\n$/]],
    [{ exportLineEnd: 'none', exportBodies: 'text', exportByteOrderMark: true }, [1, 0, /^\uFEFF.*a&#xA;&lt;b&gt;/]],
    [{ exportLossShare: 1 }, [0, 0, /^$/]],
    [{ exportCutShort: true }, [1, 0, /[^>\n]$/]],
  ] as const) {
    await using bench = await open(switches);
    const call = caller(bench.emulator.namespace('n'));
    const template = describe('AppleTemplateRegistrationDescription', `<DeviceToken>aa</DeviceToken>${body}`);
    await call('POST', 'h/registrations', `<entry><content>${template}</content></entry>`);
    const { outputProperties } = await bench.exported();
    const text = (
      await bench.storage.container.getBlobClient(outputProperties?.['OutputFilePath'] ?? '').downloadToBuffer()
    ).toString();
    expect(
      [text.split('<RegistrationDescription ').length - 1, text.endsWith('\n') ? 1 : 0],
      JSON.stringify(switches),
    ).toEqual(expected.slice(0, 2));
    expect(text).toMatch(expected[2]);
  }
});

it('stays stuck until it is released', async () => {
  await using bench = await open({ jobOutcome: 'stuck', jobStatusAtFirst: true });
  const { jobId = '', status } = await bench.client.submitNotificationHubJob({
    type: 'ExportRegistrations',
    outputContainerUrl: await bench.storage.output(),
  });
  expect(status).toBe('Started');
  await expect.poll(async () => (await bench.client.getNotificationHubJob(jobId)).status).toBe('Running');
  expect(bench.hub.releaseJobs()).toBe(1);
  await expect.poll(async () => (await bench.client.getNotificationHubJob(jobId)).status).toBe('Completed');
});

it('fails, or says that it is complete and has done nothing', async () => {
  await using bench = await open({ jobOutcome: 'does-nothing' });
  const register = () => caller(bench.emulator.namespace('n'))('POST', 'h/registrations', anApple());
  const id = textOf((await register()).text, 'RegistrationId') ?? '';
  const lines = [line(`<RegistrationId>${id}</RegistrationId><DeviceToken>AA</DeviceToken>`)];
  expect(await bench.imported('ImportDeleteRegistrations', lines)).toEqual({ output: '', failed: '' });
  expect(bench.hub.devices()).toBe(1);
  bench.hub.switches({ jobOutcome: 'fails' });
  expect(await bench.exported()).toMatchObject({
    status: 'Failed',
    failure: expect.stringContaining('internal error'),
  });
  bench.hub.switches({ jobOutcome: 'completes' });
  await bench.imported('ImportDeleteRegistrations', lines);
  expect(bench.hub.devices()).toBe(0);
});

test.each([
  ['a right is missing', (storage: Storage) => storage.output('rl'), 'is short of permissions'],
  ['it has expired', (storage: Storage) => storage.output('rwl', new Date(Date.now() - 1000)), '403'],
] as const)('an export fails when its SAS is of no use: %s', async (_, sas, failure) => {
  await using bench = await open();
  expect(await bench.exported(sas(bench.storage))).toMatchObject({
    status: 'Failed',
    failure: expect.stringContaining(failure),
  });
});

type Storage = Awaited<ReturnType<typeof openJobStorage>>;

it('refuses what cannot be a job, an ampersand that is not escaped, and namespaces below Standard', async () => {
  await using emulator = await startEmulator({ namespaces: [{ name: 'n', tier: 'Basic', hubs: ['h'] }] });
  const job = { type: 'ExportRegistrations', outputContainerUrl: 'http://127.0.0.1:1/c?sig=x&sp=rwl' } as const;
  await expect(sdk(emulator.namespace('n')).submitNotificationHubJob(job)).rejects.toMatchObject({ statusCode: 403 });
  const schedule = sdk(emulator.namespace('n')).scheduleBroadcastNotification(
    new Date(),
    createAppleNotification({ body: '{}' }),
  );
  await expect(schedule).rejects.toMatchObject({ statusCode: 403 });
  await using bench = await open();
  const call = caller(bench.emulator.namespace('n'));
  for (const uri of ['http://127.0.0.1/c?a=1&sig=x', 'http://127.0.0.1/c', 'nowhere']) {
    const content = describe(
      'NotificationHubJob',
      `<Type>ExportRegistrations</Type><OutputContainerUri>${uri}</OutputContainerUri>`,
    );
    const { status, text } = await call('POST', 'h/jobs', `<entry><content>${content}</content></entry>`);
    expect([status, text]).toEqual([400, expect.stringContaining('job payload is invalid')]);
  }
});

it('shows output properties under another prefix, at which the official SDK fails', async () => {
  await using bench = await open({ jobPropertyPrefix: 'a' });
  await expect(bench.exported()).rejects.toThrow(TypeError);
});

it('imports line by line, and names the lines it refuses', async () => {
  await using bench = await open();
  const lines = [
    line('<RegistrationId>1-2-3</RegistrationId><Tags>a</Tags><DeviceToken>01</DeviceToken>'),
    line('<ExpirationTime>9999-12-31T23:59:59Z</ExpirationTime><DeviceToken>02</DeviceToken>'),
    line('<Tags>$InstallationId:{i}</Tags><DeviceToken>03</DeviceToken>'),
  ];
  const { output, failed } = await bench.imported('ImportCreateRegistrations', lines);
  const [row] = [...bench.hub.registrations()];
  expect(failed).toBe('2,BadRequest,Bad Format\n3,BadRequest,Bad Format\n');
  expect(output).toBe(`1,${row?.id}\n${failed}`);
  expect([bench.hub.devices(), row?.id === '1-2-3']).toEqual([1, false]);

  bench.hub.switches({ importRefusesExpiry: false, importRefusesReservedTags: false, importIds: 'kept' });
  expect((await bench.imported('ImportCreateRegistrations', lines)).failed).toBe('');
  expect((await bench.imported('ImportCreateRegistrations', lines.slice(0, 1))).failed).toBe('1,409,Conflict\n');
  const changed = line('<RegistrationId>1-2-3</RegistrationId><DeviceToken>09</DeviceToken>');
  expect((await bench.imported('ImportUpdateRegistrations', [changed])).output).toBe('1,1-2-3\n');
  bench.hub.switches({ importIds: 'refused', importReads: 'documents' });
  const mixed = [`${line('<DeviceToken>0a</DeviceToken>')}${changed}`];
  expect((await bench.imported('ImportCreateRegistrations', mixed)).failed).toBe('2,BadRequest,Bad Format\n');
  const upserted = changed.replace('1-2-3', '4-5-6');
  expect((await bench.imported('ImportUpsertRegistrations', [upserted])).output).toBe('1,4-5-6\n');
});
