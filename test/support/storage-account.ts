import { inject } from 'vitest';
import { accountAt, type StorageAccount } from '../../local/azurite.ts';
import { accountName } from './start-azurite.ts';

let openedCount = 0;

/** An empty storage account that no other test uses. */
export function openStorageAccount(): StorageAccount {
  openedCount += 1;
  return accountAt(inject('azurite'), accountName(Number(process.env['VITEST_WORKER_ID']), openedCount));
}
