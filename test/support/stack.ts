import { inject } from 'vitest';
import { type Stack, type StackOptions, startStack } from '../../local/stack.ts';
import { openStorageAccount } from './storage-account.ts';

/**
 * A stack of the test's own; its storage is an account of the azurite that all tests share. It runs from a bundle: dozens
 * of hosts start in these tests. The unbundled app is run by the tests of drill, chaos, deployments and runbook.
 */
export const openStack = (options: StackOptions): Promise<Stack> =>
  startStack({ ...options, account: openStorageAccount(), bundle: inject('bundle') });
