import { CredentialUnavailableError } from '@azure/identity';
import { RestError } from '@azure/storage-blob';
import { describe, expect, test } from 'vitest';
import { storageFault } from '../../src/azure/fault.ts';
import { DrError } from '../../src/core/errors.ts';

const attempt = { service: 'blob', action: 'read', target: "blob 'a'" } as const;

describe('a fault of an SDK becomes StorageUnavailable', () => {
  test.each<[string, Error, boolean]>([
    ['a status that passes', new RestError('…', { statusCode: 503, code: 'ServerBusy' }), true],
    ['a gateway', new RestError('…', { statusCode: 502 }), true],
    ['an answer cut short', new RestError('…', { statusCode: 200, code: 'PARSE_ERROR' }), true],
    ['no name of the account', new RestError('…', { code: 'ENOTFOUND' }), true],
    ['a call that took too long', named('AbortError'), true],
    ['a bad request', new RestError('…', { statusCode: 400, code: 'InvalidHeaderValue' }), false],
    ['an immutable blob', new RestError('…', { statusCode: 409, code: 'BlobImmutableDueToPolicy' }), false],
    ['no identity to be had at the moment', new CredentialUnavailableError('…'), true],
    ['an identity that is refused', Object.assign(named('AuthenticationError'), { statusCode: 400 }), false],
    ['an identity service that is down', Object.assign(named('AuthenticationError'), { statusCode: 500 }), true],
    ['no identity at all', named('AggregateAuthenticationError'), true],
  ])('%s', (_, error, retryable) => {
    expect(storageFault(error, attempt)).toMatchObject({ code: 'StorageUnavailable', retryable, target: "blob 'a'" });
  });

  test('with what came back and the request id that support asks for', () => {
    const error = new RestError('…', { statusCode: 500, code: 'InternalError' });
    error.details = { 'x-ms-request-id': '5f2f7e1c-001e-0041-7c5c-000000000000' };
    expect(storageFault(error, attempt)).toMatchObject({
      message: expect.stringContaining(
        "Could not read blob 'a': status 500, InternalError, request id 5f2f7e1c-001e-0041-7c5c-000000000000.",
      ),
    });
  });

  test('without its message, its request or anything else that may hold a secret', () => {
    const error = new RestError('GET https://acct.blob.core.windows.net/c?sig=secret', { code: 'x sig=secret x' });
    const fault = storageFault(error, attempt);
    expect(fault).toBeInstanceOf(DrError);
    expect(JSON.stringify(fault, Object.getOwnPropertyNames(fault))).not.toMatch(/secret|acct/);
    expect(fault).toMatchObject({ cause: undefined });
  });
});

test('an error of our own is handed on as it is', () => {
  for (const error of [new DrError('Internal', 'x'), new TypeError('x'), 'text', undefined]) {
    expect(storageFault(error, attempt)).toBe(error);
  }
});

function named(name: string): Error {
  return Object.assign(new Error('…'), { name });
}
