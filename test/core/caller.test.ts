import { expect, test } from 'vitest';
import { callerOf } from '../../src/core/request/caller.ts';

const call = (headers: Record<string, string>, query = '') =>
  callerOf(new Headers(headers), new URLSearchParams(query));

test('a caller is who they say they are, whom the sign-in names, and the address that the front end saw', () => {
  expect(
    call({
      'x-requested-by': encodeURIComponent('Zoë at the pager'),
      'x-ms-client-principal-name': 'zoe@example.org',
      'x-forwarded-for': '10.9.9.9, 203.0.113.7:51000',
      'x-functions-key': 'in-the-header',
    }),
  ).toEqual({
    name: 'Zoë at the pager',
    principal: 'zoe@example.org',
    from: '203.0.113.7:51000',
    key: 'in-the-header',
  });
});

test('what is missing or cannot be shown on a line is left out', () => {
  const nothing = { name: undefined, principal: undefined, from: undefined, key: undefined };
  expect(call({})).toEqual(nothing);
  expect(call({ 'x-requested-by': 'a%0Aforged' })).toEqual(nothing);
  expect(call({ 'x-requested-by': '%E4' })).toEqual({ ...nothing, name: '%E4' });
  expect(call({ 'x-requested-by': 'a'.repeat(5000) }).name).toHaveLength(200);
  expect(call({}, 'CODE=in-the-query').key).toBe('in-the-query');
});
