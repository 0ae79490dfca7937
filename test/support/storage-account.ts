import { inject } from 'vitest';
import { accountAt, type StorageAccount } from '../../local/azurite.ts';
import { accountName } from './start-azurite.ts';

/** By the number that vitest gives each test file of a command. */
const openedCounts = new Map<number, number>();

/** An empty storage account that no other test uses. */
export function openStorageAccount(): StorageAccount {
  const file = Number(process.env['VITEST_WORKER_ID']);
  const index = (openedCounts.get(file) ?? 0) + 1;
  openedCounts.set(file, index);
  return accountAt(inject('azurite'), accountName(file, index));
}
