import { randomBytes } from 'node:crypto';

/** In the app's form, so that ids sort by time: `2026-11-23T09-38-02Z-1a2b3c`. */
export function newId(nowMs: number): string {
  return `${new Date(nowMs).toISOString().slice(0, 19).replaceAll(':', '-')}Z-${randomBytes(3).toString('hex')}`;
}
