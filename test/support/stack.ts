import { inject } from 'vitest';
import { type EmulatorHandle, handleOf } from '../../local/emulator-handle.ts';
import { startEmulator } from '../../local/hub-lab/index.ts';
import { type Stack, type StackOptions, startStack } from '../../local/stack.ts';
import { openStorageAccount } from './storage-account.ts';

/**
 * A stack of the test's own; its storage is an account of the azurite that all tests share, its hubs are in the test's
 * process, its host runs from a bundle: dozens of them start in these tests. Each part on its own, and the unbundled app,
 * are run by the tests of drill, chaos, deployments and runbook.
 */
export async function openStack(options: StackOptions): Promise<Stack> {
  const emulator = await startHubs(options);
  return startStack({
    ...options,
    account: options.account ?? openStorageAccount(),
    emulator,
    bundle: inject('bundle'),
  });
}

async function startHubs({ devices, seed }: StackOptions): Promise<EmulatorHandle> {
  const { adminUrl, arm, namespaces, hub, close } = await startEmulator();
  hub('primary', 'devices').seed({ devices, seed });
  const entries = namespaces.map((each) => [each.name, { url: each.url, connectionString: each.connectionString() }]);
  return handleOf({ adminUrl, arm: { ...arm.settings }, namespaces: Object.fromEntries(entries), close });
}
