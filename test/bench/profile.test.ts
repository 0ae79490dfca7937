import { expect, test } from 'vitest';
import { type Profile, renderProfile, summarize } from './profile.ts';

const node = (id: number, functionName: string, url: string, children: number[] = []) => ({
  id,
  callFrame: { functionName, url, lineNumber: 9 },
  children,
});

const app = 'file:///anywhere/app/dist/src/core/plan.js';
const profile: Profile = {
  nodes: [
    node(1, '(root)', '', [2, 3, 6]),
    node(2, '(idle)', ''),
    node(3, 'walk', app, [4]),
    node(4, 'walk', app, [5]),
    node(5, 'request', 'file:///anywhere/node_modules/@scope/http/lib/client.js'),
    node(6, '(garbage collector)', ''),
  ],
  samples: [2, 3, 4, 5, 5, 6],
  timeDeltas: [50_000, 1000, 2000, 3000, 4000, 500],
};

test('own time is where the samples fell, total time counts a function that calls itself once, idling not at all', () => {
  const { totalMs, functions, modules } = summarize(profile);
  expect(totalMs).toBe(10.5);
  expect(functions).toContainEqual({ name: 'walk dist/src/core/plan.js:10', selfMs: 3, totalMs: 10 });
  expect(functions).toContainEqual({ name: 'request @scope/http/lib/client.js:10', selfMs: 7, totalMs: 7 });
  expect(modules).toContainEqual({ name: '@scope/http', selfMs: 7, totalMs: 7 });
  expect(modules).toContainEqual({ name: '(garbage collector)', selfMs: 0.5, totalMs: 0.5 });
  expect(functions.map(({ name }) => name)).not.toContain('(idle)');
});

test('the text names the most expensive first, and no more than asked for', () => {
  const text = renderProfile(summarize(profile), 1);
  expect(text).toContain('| 7 | 66.7 % | request @scope/http/lib/client.js:10 |');
  expect(text).not.toContain('garbage');
});
