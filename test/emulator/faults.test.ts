import { expect, it } from 'vitest';
import {
  decideFault,
  type Fault,
  type FaultInput,
  faultPresets,
  faultRulesSchema,
} from '../../local/emulator/faults.ts';
import { toHubRequest } from '../../local/emulator/http-types.ts';
import { startEmulator } from '../../local/hub-lab/index.ts';
import { startFaultBench } from './fault-bench.ts';
import { anApple, caller, idsIn, textOf } from './hub-caller.ts';

it('answers as the presets say, and carries the write out only when the fault comes after it', async () => {
  await using bench = await startFaultBench();
  const { call, faulty, rowCount } = bench;
  const post = () => call('POST', 'h/registrations', anApple());
  const put = () => call('PUT', 'h/registrations/1-2-3', anApple());
  const answers = [];
  for (const [preset, send] of [
    ['throttle429', post],
    ['throttle429-silent', post],
    ['throttle403', post],
    ['throttle409', post],
    ['gone410', put],
    ['busy503', post],
  ] as const) {
    const { status, headers, text } = await faulty([preset], send);
    expect(textOf(text, 'Code')).toBe(String(status));
    answers.push([preset, status, headers.get('retry-after')]);
  }
  expect(answers).toEqual([
    ['throttle429', 429, '1'],
    ['throttle429-silent', 429, null],
    ['throttle403', 403, '1'],
    ['throttle409', 409, null],
    ['gone410', 410, null],
    ['busy503', 503, null],
  ]);
  expect(rowCount()).toBe(0);
  await expect(faulty(['reset-before'], post)).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });
  expect(rowCount()).toBe(0);
  await expect(faulty(['reset-after'], post)).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });
  expect(rowCount()).toBe(1);
  await faulty([{ name: 'busy503', when: 'after' }], post);
  expect(rowCount()).toBe(2);
});

it('confines presets to the calls they are about', async () => {
  await using bench = await startFaultBench();
  const { call, faulty } = bench;
  const list = () => call('GET', 'h/registrations');
  for (const preset of ['throttle409', 'gone410', 'expired-token', 'repeated-token']) {
    expect((await faulty([preset], list)).status, preset).toBe(200);
  }
  for (const preset of ['truncated-page', 'malformed-page', 'empty-page', 'repeated-rows']) {
    expect((await faulty([preset], () => call('POST', 'h/registrations', anApple()))).status, preset).toBe(200);
  }
});

it('gives Retry-After as a date, in place of the seconds of the preset', async () => {
  await using bench = await startFaultBench();
  const rules = [{ name: 'throttle429', retryAfterDate: '2030-01-02T03:04:05Z', body: 'later' }];
  const { headers, text } = await bench.faulty(rules, () => bench.call('GET', 'h/registrations'));
  expect([headers.get('retry-after'), text]).toEqual(['Wed, 02 Jan 2030 03:04:05 GMT', 'later']);
});

it('cuts a page short, spoils it, or lets it trickle', async () => {
  await using bench = await startFaultBench({ devices: 30 });
  const { call, faulty } = bench;
  const list = () => call('GET', 'h/registrations');
  const whole = (await list()).text;
  await expect(faulty(['truncated-page'], list)).rejects.toThrow();
  const spoilt = await faulty(['malformed-page'], list);
  expect([spoilt.status, spoilt.text.endsWith('</feed>')]).toEqual([200, false]);
  expect(spoilt.text.length).toBeLessThan(whole.length);
  const startedAt = performance.now();
  const slow = await faulty([{ name: 'trickle', slowBytes: Math.ceil(whole.length / 4) }], list);
  expect(idsIn(slow.text)).toEqual(idsIn(whole));
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(50);
});

it('leaves a call unanswered on an open connection until the client gives up', async () => {
  await using bench = await startFaultBench();
  bench.setFaults([{ name: 'half-open', times: 1 }]);
  const refused = fetch(`${bench.url}/h/registrations`, { signal: AbortSignal.timeout(200) });
  await expect(refused).rejects.toMatchObject({ name: 'TimeoutError' });
  expect((await bench.call('GET', 'h/registrations')).status).toBe(200);
});

it('takes a namespace down with a call unanswered, whose write was carried out', async () => {
  await using bench = await startFaultBench();
  bench.setFaults([{ name: 'half-open', when: 'after' }]);
  const refused = expect(bench.call('POST', 'h/registrations', anApple())).rejects.toThrow();
  await expect.poll(bench.rowCount).toBe(1);
  await bench.emulator.namespace('n').down();
  await refused;
});

it('asks the hook before the rules', async () => {
  await using bench = await startFaultBench();
  bench.setFaults(['busy503']);
  bench.emulator.namespace('n').intercept(({ method }) => (method === 'GET' ? { status: 418 } : undefined));
  expect((await bench.call('GET', 'h/registrations')).status).toBe(418);
  expect((await bench.call('DELETE', 'h/registrations/1-2-3')).status).toBe(503);
});

it('spends a rule after its number of times and then tries the next one', async () => {
  await using bench = await startFaultBench();
  bench.setFaults([
    { name: 'busy503', times: 2 },
    { name: 'throttle429', everyNth: 3 },
  ]);
  const statuses = [];
  for (let n = 0; n < 8; n += 1) statuses.push((await bench.call('GET', 'h/registrations')).status);
  expect(statuses).toEqual([503, 503, 200, 200, 429, 200, 200, 429]);
  expect(bench.faults().map(({ matchedCount, injectedCount }) => [matchedCount, injectedCount])).toEqual([
    [2, 2],
    [6, 2],
  ]);
  bench.setFaults([]);
  expect((await bench.call('GET', 'h/registrations')).status).toBe(200);
});

it('hits the share of requests asked for, the same ones for the same seed, others for another', () => {
  const hits = (seed: number): number[] => {
    let faults = armed([{ name: 'busy503', probability: 0.25, seed }]);
    const hit: number[] = [];
    for (let n = 0; n < 4000; n += 1) {
      const decision = decideFault(faults, aGet('/h/registrations'), '/registrations');
      faults = decision.faults;
      if (decision.rule !== undefined) hit.push(n);
    }
    return hit;
  };
  for (const seed of [1, 2, 3]) {
    expect(hits(seed).length / 4000, `seed ${seed}`).toBeGreaterThan(0.22);
    expect(hits(seed).length / 4000, `seed ${seed}`).toBeLessThan(0.28);
  }
  expect(hits(1)).toEqual(hits(1));
  expect(hits(1)).not.toEqual(hits(2));
});

it('matches a rule by method, route as the table spells it, or path as sent', () => {
  const acts = (rule: object, path: string, routeName: string): boolean =>
    decideFault(armed([{ name: 'r', status: 500, ...rule }]), aGet(path), routeName).rule !== undefined;
  const [path, route] = ['/h/registrations/1-2-3?api-version=2017-04', '/registrations/{}'];
  expect(acts({ route: '^/registrations/\\{\\}$' }, path, route)).toBe(true);
  expect(acts({ route: '/Registrations/1-2-3\\?' }, path, route)).toBe(true);
  expect(acts({ route: '^/installations' }, path, route)).toBe(false);
  expect(acts({ method: 'get' }, path, route)).toBe(true);
  expect(acts({ method: ['PUT', 'DELETE'] }, path, route)).toBe(false);
});

it.each([
  [['explode'], 'does nothing: give one of status'],
  [[{ name: 'busy503', reset: true }], 'more than one of status, reset, hang and page'],
  [[{ name: 'r', reset: false }], 'does nothing'],
  [[{ name: 'r', delayMs: 1, retryAfterSeconds: 1 }], 'Retry-After without a status'],
  [[{ name: 'r', status: 429, retryAfterSeconds: 1, retryAfterDate: '2030-01-01T00:00:00Z' }], 'Retry-After twice'],
  [[{ name: 'busy503', route: '(' }], 'is no regular expression'],
  [[{ name: 'busy503', probability: 2 }], '[0].probability'],
  [[{ name: 'busy503', color: 'red' }], 'color'],
  [{ name: 'busy503' }, 'expected array'],
])('refuses the rules %j and says why', async (rules, reason) => {
  await using emulator = await startEmulator();
  const response = await fetch(`${emulator.adminUrl}/namespaces/primary/faults`, {
    method: 'POST',
    body: JSON.stringify(rules),
  });
  expect(response.status).toBe(400);
  expect(JSON.stringify(await response.json())).toContain(reason);
  expect(emulator.namespace('primary').faults()).toEqual([]);
});

it('sets, shows and clears faults over the admin endpoint', async () => {
  await using emulator = await startEmulator();
  const url = `${emulator.adminUrl}/namespaces/primary/faults`;
  const call = caller(emulator.namespace('primary'));
  const set = await fetch(url, { method: 'POST', body: JSON.stringify(['busy503', { name: 'slow', times: 1 }]) });
  expect([set.status, await set.json()]).toMatchObject([200, [{ rule: { name: 'busy503', status: 503 } }, {}]]);
  expect((await call('GET', 'devices/registrations')).status).toBe(503);
  expect(await (await fetch(url)).json()).toMatchObject([{ matchedCount: 1, injectedCount: 1 }, { matchedCount: 0 }]);
  expect((await fetch(url, { method: 'DELETE' })).status).toBe(200);
  expect(await (await fetch(url)).json()).toEqual([]);
  expect((await call('GET', 'devices/registrations')).status).toBe(200);
});

it('knows each preset by its name alone', () => {
  const names = Object.keys(faultPresets);
  expect(faultRulesSchema.parse(names).map(({ name }) => name)).toEqual(names);
});

function armed(rules: readonly FaultInput[]): readonly Fault[] {
  return faultRulesSchema.parse(rules).map((rule) => ({ rule, matchedCount: 0, injectedCount: 0 }));
}

function aGet(target: string): ReturnType<typeof toHubRequest> {
  return toHubRequest('GET', target, {}, '');
}
