import { QueueServiceClient } from '@azure/storage-queue';
import { expect, test } from 'vitest';
import { openStorageAccount } from '../support/storage-account.ts';
import { eventually, type FixtureRun, runFixture } from './fixture-app.ts';

const azurite = openStorageAccount();
const queues = QueueServiceClient.fromConnectionString(azurite.connectionString);
let queueCount = 0;

/** A run with a queue of its own. */
async function runOnQueue(settings: Readonly<Record<string, string>> = {}) {
  const name = `work-${++queueCount}`;
  const run = await runFixture(azurite.connectionString, ['work'], { FIXTURE_QUEUE: name, ...settings });
  const queue = queues.getQueueClient(name);
  await queue.createIfNotExists();
  const send = (message: unknown, visibilityTimeout = 0) =>
    queue.sendMessage(Buffer.from(JSON.stringify(message)).toString('base64'), { visibilityTimeout });
  const isEmpty = async () => (await queue.getProperties()).approximateMessagesCount === 0;
  return { name, run, queue, send, isEmpty };
}

const events = async (run: FixtureRun, id: string) =>
  (await run.journal()).filter((entry) => entry.id === id).map(({ event, dequeueCount }) => `${event} ${dequeueCount}`);

/** Takes every message off a queue, decoded. */
async function drain(name: string): Promise<string[]> {
  const answer = await queues.getQueueClient(name).receiveMessages({ numberOfMessages: 32 });
  return answer.receivedMessageItems.map(({ messageText }) => Buffer.from(messageText, 'base64').toString());
}

test('a message is parsed, handled once, deleted, and its metadata has lower-case names', async () => {
  const { run, send, isEmpty } = await runOnQueue();
  await using _ = run;
  const sent = await send({ id: 'one' });
  await using __ = await run.start();
  await eventually(isEmpty);
  expect(await events(run, 'one')).toEqual(['start 1', 'end 1']);
  const [entry] = await run.journal();
  expect(entry?.metadata).toMatchObject({
    id: sent.messageId,
    dequeueCount: 1,
    queueTrigger: { id: 'one' },
    popReceipt: expect.any(String),
    insertionTime: sent.insertedOn.toISOString(),
    expirationTime: sent.expiresOn.toISOString(),
    nextVisibleTime: expect.stringMatching(/^\d{4}-.*Z$/),
  });
  expect(await run.invocations()).toMatchObject([{ function: 'work', status: 'Succeeded', dequeueCount: 1 }]);
});

test('outputs are sent, the items of an array as one message each, to queues made on the way', async () => {
  const { run, send, isEmpty } = await runOnQueue();
  await using _ = run;
  await send({ id: 'fan', fanOut: [{ part: 1 }, 'two', 3] });
  await using __ = await run.start();
  await eventually(isEmpty);
  expect(await drain('audit')).toContain('{"done":"fan"}');
  expect(await drain('fan-out')).toEqual(['{"part":1}', 'two', '3']);
});

test('a failed message is delivered again and succeeds', async () => {
  const { run, send, isEmpty } = await runOnQueue();
  await using _ = run;
  await send({ id: 'flaky', failTimes: 2 });
  await using __ = await run.start();
  await eventually(isEmpty);
  expect(await events(run, 'flaky')).toEqual(['start 1', 'start 2', 'start 3', 'end 3']);
});

test('a failed message stays hidden for the visibility timeout', async () => {
  const { run, send, isEmpty } = await runOnQueue({
    AzureFunctionsJobHost__extensions__queues__visibilityTimeout: '00:00:01',
  });
  await using _ = run;
  await send({ id: 'hidden', failTimes: 1 });
  await using __ = await run.start();
  await eventually(isEmpty);
  const [first, second] = await run.invocations();
  expect(Date.parse(second?.startedAt ?? '') - Date.parse(first?.startedAt ?? '')).toBeGreaterThan(750);
});

test('after the last try a message goes to the poison queue as it was', async () => {
  const { run, name, send, isEmpty } = await runOnQueue();
  await using _ = run;
  await send({ id: 'bad', failTimes: 99 });
  await using __ = await run.start();
  await eventually(isEmpty);
  expect(await events(run, 'bad')).toEqual(['start 1', 'start 2', 'start 3']);
  expect(await drain(`${name}-poison`)).toEqual(['{"id":"bad","failTimes":99}']);
});

test('a message that is not base64 goes to the poison queue without a run', async () => {
  const { run, name, queue, isEmpty } = await runOnQueue();
  await using _ = run;
  await queue.sendMessage('not base64!');
  await using __ = await run.start();
  await eventually(isEmpty);
  const { peekedMessageItems } = await queues.getQueueClient(`${name}-poison`).peekMessages();
  expect(peekedMessageItems.map(({ messageText }) => messageText)).toEqual(['not base64!']);
  expect(await run.invocations()).toEqual([]);
});

test('with messageEncoding none the text is taken as it is', async () => {
  const { run, queue, isEmpty } = await runOnQueue({
    AzureFunctionsJobHost__extensions__queues__messageEncoding: 'none',
  });
  await using _ = run;
  await queue.sendMessage('{"id":"plain"}');
  await using __ = await run.start();
  await eventually(isEmpty);
  expect(await events(run, 'plain')).toEqual(['start 1', 'end 1']);
});

test('a missing queue is polled quietly until it is there', async () => {
  const name = 'made-later';
  await using run = await runFixture(azurite.connectionString, ['work'], { FIXTURE_QUEUE: name });
  const lines: string[] = [];
  await using __ = await run.start((line) => lines.push(line));
  const queue = queues.getQueueClient(name);
  await queue.create();
  await queue.sendMessage(Buffer.from('{"id":"late"}').toString('base64'));
  // Each look finds nothing and doubles the pause; a busy machine makes the queue only after some.
  await eventually(async () => (await events(run, 'late')).length === 2, 60_000);
  expect(lines.join('\n')).not.toContain('warning');
});

test.concurrent('a function that runs longer than the lease keeps its message to itself', async () => {
  const { run, send, isEmpty } = await runOnQueue();
  await using _ = run;
  await send({ id: 'long', waitMs: 4500 });
  await run.spawn({ queueLeaseSeconds: 2 });
  await run.spawn({ queueLeaseSeconds: 2 });
  await eventually(isEmpty);
  expect(await events(run, 'long')).toEqual(['start 1', 'end 1']);
});

test.concurrent('two hosts share a queue and every message is handled once', async () => {
  const { run, send, isEmpty } = await runOnQueue();
  await using _ = run;
  const ids = Array.from({ length: 40 }, (__, index) => `shared-${index}`);
  await Promise.all([run.spawn(), run.spawn()]);
  await Promise.all(ids.map((id) => send({ id, waitMs: 50 })));
  await eventually(isEmpty);
  const journal = await run.journal();
  expect(
    journal
      .filter(({ event }) => event === 'end')
      .map(({ id }) => id ?? '')
      .sort(),
  ).toEqual([...ids].sort());
  expect(new Set(journal.map(({ pid }) => pid)).size).toBe(2);
});

test.concurrent('a message whose host is killed is finished by another one, here after a second', async () => {
  const { run, send, isEmpty } = await runOnQueue();
  await using _ = run;
  const first = await run.spawn({ queueLeaseSeconds: 1 });
  await send({ id: 'survivor', waitMs: 1000 });
  await eventually(async () => (await events(run, 'survivor')).length === 1);
  await first.kill();
  await run.spawn({ queueLeaseSeconds: 1 });
  await eventually(isEmpty);
  expect(await events(run, 'survivor')).toEqual(['start 1', 'start 2', 'end 2']);
});

test.concurrent('SIGTERM lets the running message finish, takes others meanwhile, lets these finish and takes no more', async () => {
  const { run, send, queue } = await runOnQueue();
  await using _ = run;
  const host = await run.spawn({ graceSeconds: 10 });
  await send({ id: 'first', waitMs: 2500 });
  await eventually(async () => (await events(run, 'first')).length === 1);
  await send({ id: 'meanwhile', waitMs: 2500 }, 1);
  const stopped = host.stop();
  await eventually(async () => (await events(run, 'first')).length === 2);
  await send({ id: 'later' });
  expect(await stopped).toBe(0);
  expect(await events(run, 'meanwhile')).toEqual(['start 1', 'end 1']);
  const { peekedMessageItems } = await queue.peekMessages({ numberOfMessages: 32 });
  expect(peekedMessageItems).toHaveLength(1);
});

test.concurrent('what outlives the grace time is left to another host, here after a second', async () => {
  const { run, send, isEmpty } = await runOnQueue();
  await using _ = run;
  const host = await run.spawn({ graceSeconds: 1, queueLeaseSeconds: 1 });
  await send({ id: 'stubborn', waitMs: 2500 });
  await eventually(async () => (await events(run, 'stubborn')).length === 1);
  expect(await host.stop()).toBe(0);
  expect(host.output()).toContain('cut: work');
  await run.spawn();
  await eventually(isEmpty);
  expect(await events(run, 'stubborn')).toEqual(['start 1', 'start 2', 'end 2']);
});
