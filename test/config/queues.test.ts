import fc from 'fast-check';
import { expect, test } from 'vitest';
import { triggerBindings } from '../../src/settings/config.ts';
import { queueName, storageName } from '../../src/settings/forms.ts';

function namesFor(primary: string, secondary: string, more: Record<string, string> = {}) {
  const [from, to] = [primary, secondary].map((hub) => hub.split('/'));
  const connection = (namespace = '') =>
    `Endpoint=sb://${namespace}/;SharedAccessKeyName=RootManage;SharedAccessKey=c2VjcmV0`;
  return triggerBindings({
    PRIMARY_HUB_CONNECTION: connection(from?.[0]),
    PRIMARY_HUB_NAME: from?.[1],
    SECONDARY_HUB_CONNECTION: connection(to?.[0]),
    SECONDARY_HUB_NAME: to?.[1],
    ...more,
  }).stepQueues;
}

const east = 'east.servicebus.windows.net/news';
const west = 'west.servicebus.windows.net/news';

test('each lane has a queue of its own, named by setting, lane and pair', () => {
  expect(namesFor(east, west)).toEqual({
    restores: 'dr-steps-restores-c5bdf5ef',
    backups: 'dr-steps-backups-c5bdf5ef',
    rest: 'dr-steps-rest-c5bdf5ef',
    writes: 'dr-steps-writes-c5bdf5ef',
    former: 'dr-steps',
  });
});

test('two hubs have the same queues in exchanged roles, and however their names are written', () => {
  expect(namesFor(west, east)).toEqual(namesFor(east, west));
  expect(namesFor('EAST.servicebus.windows.net/News', west)).toEqual(namesFor(east, west));
});

test.each([
  ['another hub of the namespace', east, 'west.servicebus.windows.net/other'],
  ['another namespace', east, 'north.servicebus.windows.net/news'],
  ['the same namespace in another cloud', 'east.servicebus.chinacloudapi.cn/news', west],
])('another pair has other queues: %s', (_, primary, secondary) => {
  const [other, own] = [namesFor(primary, secondary), namesFor(east, west)];
  expect(new Set([...Object.values(other), ...Object.values(own)]).size).toBe(9);
});

test('whatever the setting, the names are those of queues, with room for the poison queue, and differ', () => {
  const word = fc.stringMatching(/^[a-z0-9]{1,12}$/);
  const setting = fc
    .array(word, { minLength: 1, maxLength: 12 })
    .map((words) => words.join('-'))
    .filter((text) => queueName.safeParse(text).success);
  fc.assert(
    fc.property(setting, setting, (one, two) => {
      const [ones, twos] = [one, two].map((STEP_QUEUE) => namesFor(east, west, { STEP_QUEUE }));
      const { former, ...lanes } = ones ?? namesFor(east, west);
      expect(former).toBe(one);
      expect(storageName.safeParse(`${former}-poison`).success).toBe(true);
      for (const name of Object.values(lanes)) {
        expect(storageName.safeParse(`${name}-poison`).success).toBe(true);
        expect(Object.values(twos ?? {}).includes(name)).toBe(one === two);
      }
      expect(new Set(Object.values(lanes)).size).toBe(4);
    }),
  );
});

test('settings at fault have names, too', () => {
  for (const name of Object.values(triggerBindings({ PRIMARY_HUB_CONNECTION: 'nonsense' }).stepQueues)) {
    expect(storageName.safeParse(name).success).toBe(true);
  }
});
