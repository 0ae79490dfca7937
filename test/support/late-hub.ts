import type { Engine } from './engine.ts';

/**
 * From now on the secondary accepts installation writes at once and applies each after its delay, in the
 * order in which they are due.
 */
export function applyLate({ app, secondary }: Engine, delayMs: (id: string) => number): void {
  const { putInstallation, deleteInstallation, listPage } = secondary;
  const waiting: { readonly at: number; readonly apply: () => Promise<unknown> }[] = [];
  const later = (id: string, apply: () => Promise<unknown>): void => {
    waiting.push({ at: app.world.now() + delayMs(id), apply });
    waiting.sort((a, b) => a.at - b.at);
  };
  secondary.putInstallation = async (id, json, call) => {
    later(id, () => putInstallation(id, json, call));
    return { kind: 'written' };
  };
  secondary.deleteInstallation = async (id, call) => later(id, () => deleteInstallation(id, call));
  secondary.listPage = async (...args) => {
    for (let next = waiting[0]; next !== undefined && next.at <= app.world.now(); next = waiting[0]) {
      waiting.shift();
      await next.apply();
    }
    return listPage(...args);
  };
}

/** One of the given listings of the secondary, counted from 1, leaves out the rows that `isHidden` tells. */
export function hideInListing({ secondary }: Engine, which: number, isHidden: (xml: string) => boolean): void {
  const { listPage } = secondary;
  let listings = 0;
  secondary.listPage = async (token, call) => {
    if (token === undefined) listings += 1;
    const page = await listPage(token, call);
    if (page === 'tokenLost' || listings !== which) return page;
    return { ...page, rows: page.rows.filter((row) => !isHidden(Buffer.from(row).toString())) };
  };
}
