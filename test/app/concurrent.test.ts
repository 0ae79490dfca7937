import { expect, test } from 'vitest';
import { createWorkers } from '../../src/app/stored/concurrent.ts';

/** Work that ends when the test says so. */
function createJobs() {
  const started: string[] = [];
  const ends = new Map<string, (error?: Error) => void>();
  const work = (name: string): Promise<void> => {
    started.push(name);
    return new Promise((resolve, reject) => {
      ends.set(name, (error) => (error === undefined ? resolve() : reject(error)));
    });
  };
  const end = async (name: string, error?: Error): Promise<void> => {
    ends.get(name)?.(error);
    await settle();
  };
  return { started, work, end };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

test('lists are worked on in their order, and the next one begins while the last of the one before are under way', async () => {
  const workers = createWorkers(() => 2);
  const { started, work, end } = createJobs();
  let isFirstDone = false;
  const first = workers.forEach(['a', 'b', 'c'], work).then(() => {
    isFirstDone = true;
  });
  const second = workers.forEach(['d', 'e'], work);
  expect(started).toEqual(['a', 'b']);
  await end('a');
  expect(started).toEqual(['a', 'b', 'c']);
  await end('b');
  expect(started).toEqual(['a', 'b', 'c', 'd']);
  expect(isFirstDone).toBe(false);
  await end('c');
  expect(isFirstDone).toBe(true);
  await end('d');
  await end('e');
  await Promise.all([first, second]);
  const third = workers.forEach(['f'], work);
  expect(started.at(-1)).toBe('f');
  await end('f');
  await third;
});

test('there is room as soon as few enough wait', async () => {
  const workers = createWorkers(() => 1);
  const { work, end } = createJobs();
  const list = workers.forEach(['a', 'b', 'c'], work);
  let hasRoom = false;
  const room = workers.untilFewerWait(2).then(() => {
    hasRoom = true;
  });
  await settle();
  expect(hasRoom).toBe(false);
  await end('a');
  expect(hasRoom).toBe(true);
  await room;
  await workers.untilFewerWait(2);
  await end('b');
  await end('c');
  await list;
});

test('there is always room when nothing waits', async () => {
  const workers = createWorkers(() => 1);
  await workers.untilFewerWait(0);
  const { work, end } = createJobs();
  const list = workers.forEach(['a', 'b'], work);
  let hasRoom = false;
  const room = workers.untilFewerWait(0).then(() => {
    hasRoom = true;
  });
  await settle();
  expect(hasRoom).toBe(false);
  await end('a');
  await room;
  await end('b');
  await list;
});

test('a failure is thrown once what is under way has ended, and nothing new is begun on any list', async () => {
  const workers = createWorkers(() => 2);
  const { started, work, end } = createJobs();
  const first = workers.forEach(['a', 'b', 'c'], work);
  const second = workers.forEach(['d'], work);
  const failed = expect(first).rejects.toThrow('broken');
  await end('a', new Error('broken'));
  expect(workers.isStopped()).toBe(true);
  await workers.untilFewerWait(1);
  expect(started).toEqual(['a', 'b']);
  await end('b');
  await failed;
  await second;
  expect(started).toEqual(['a', 'b']);
});

test('an empty list is done at once', async () => {
  await createWorkers(() => 1).forEach([], () => Promise.reject(new Error('nothing to do')));
});
