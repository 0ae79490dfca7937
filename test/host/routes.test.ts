import { expect, test } from 'vitest';
import { compileRoute } from '../../local/host/routes.ts';

const cases: ReadonlyArray<readonly [string, string, Record<string, string> | undefined]> = [
  ['api/restores', '/api/restores', {}],
  ['api/restores', '/API/Restores/', {}],
  ['api/restores', '/api/restores/1', undefined],
  ['api/restores', '/api', undefined],
  ['api/restores/{id}', '/api/restores/a%20b', { id: 'a b' }],
  ['api/restores/{id}', '/api/restores/', undefined],
  ['api/restores/{id}', '/api/restores/a%2Fb', { id: 'a%2Fb' }],
  ['api/restores/{id}', '/api/restores/100%25', { id: '100%' }],
  ['api/restores/{id}', '/api/restores/100%', { id: '100%' }],
  ['api/restores/{id}/cancel', '/api/restores/7/cancel', { id: '7' }],
  ['api/restores/{id}/cancel', '/api/restores/7/retry', undefined],
  ['api/snapshots/{id?}', '/api/snapshots', {}],
  ['api/snapshots/{id?}', '/api/snapshots/x', { id: 'x' }],
  ['api/pages/{n=1}', '/api/pages', { n: '1' }],
  ['api/files/{*path}', '/api/files/a/b%20c', { path: 'a/b c' }],
  ['api/files/{*path}', '/api/files', {}],
  ['api/items/{id:int}', '/api/items/-12', { id: '-12' }],
  ['api/items/{id:int}', '/api/items/twelve', undefined],
  ['api/items/{id:int?}', '/api/items', {}],
  [
    'api/items/{id:guid}',
    '/api/items/0f8fad5b-d9cb-469f-a165-70867728950e',
    { id: '0f8fad5b-d9cb-469f-a165-70867728950e' },
  ],
  ['api/items/{id:guid}', '/api/items/0f8fad5b', undefined],
  ['', '/', {}],
];

test.each(cases)('route "%s" against %s', (template, path, params) => {
  expect(compileRoute(template).match(path)).toEqual(params);
});

test('a template this host cannot match like the real one is refused', () => {
  expect(() => compileRoute('api/{a}-{b}')).toThrow('must fill its segment');
  expect(() => compileRoute('api/{id:range(1,2)}')).toThrow('constraint');
});
