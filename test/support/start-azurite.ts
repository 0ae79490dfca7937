import type { TestProject } from 'vitest/node';
import { type AzuriteUrls, startAzurite } from '../../local/azurite.ts';

declare module 'vitest' {
  interface ProvidedContext {
    azurite: AzuriteUrls;
  }
}

/** Test files of one command, and accounts for each, with room to spare. */
const [FILES, ACCOUNTS_A_FILE] = [200, 8];

export const accountName = (file: number, index: number): string => `file${file}n${index}`;

/** Vitest's global setup: one azurite for all tests of a project, in which each has accounts of its own. */
export async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const accounts = Array.from({ length: FILES * ACCOUNTS_A_FILE }, (_, at) =>
    accountName(Math.floor(at / ACCOUNTS_A_FILE) + 1, (at % ACCOUNTS_A_FILE) + 1),
  );
  const azurite = await startAzurite({ accounts });
  provide('azurite', azurite.urls);
  return () => azurite.close();
}
