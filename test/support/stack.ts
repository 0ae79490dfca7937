import { type Stack, type StackOptions, startStack } from '../../local/stack.ts';
import { openStorageAccount } from './storage-account.ts';

/** A stack of the test's own; its storage is an account of the azurite that all tests share. */
export const openStack = (options: StackOptions): Promise<Stack> =>
  startStack({ ...options, account: openStorageAccount() });
