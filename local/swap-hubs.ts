import type { Stack } from './stack.ts';

/** Restarts the Functions host at its address with primary and secondary exchanged in its settings, as a failback asks. */
export async function swapHubs(stack: Stack): Promise<void> {
  const { host, settings } = stack;
  const swapped = Object.entries(settings).flatMap(([name, value]) => {
    const [, role, rest] = /^(PRIMARY|SECONDARY)(_.+)$/.exec(name) ?? [];
    return role === undefined ? [] : [[`${role === 'PRIMARY' ? 'SECONDARY' : 'PRIMARY'}${rest}`, value] as const];
  });
  await host.stop();
  await stack.startHost({ settings: Object.fromEntries(swapped), port: Number(new URL(host.url).port) });
}
