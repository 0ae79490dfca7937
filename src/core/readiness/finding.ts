/** A backup, or a sync, that is half an interval late is worth a look. */
export const LATE_INTERVALS = 1.5;

/** `stop`: a failover now would not bring the devices back. `risk`: it would, but something has to be looked at. */
export interface Finding {
  readonly level: 'stop' | 'risk';
  readonly code: string;
  readonly message: string;
  readonly runId?: string;
  readonly snapshotId?: string;
}

export const stop = (code: string, message: string): Finding => ({ level: 'stop', code, message });
export const risk = (code: string, message: string): Finding => ({ level: 'risk', code, message });

/** `90 seconds`, `45 minutes`, `30 hours`, `12 days`. */
export function describeDuration(durationMs: number): string {
  const minutes = durationMs / 60_000;
  if (minutes < 2) return `${Math.round(durationMs / 1000)} seconds`;
  if (minutes < 120) return `${Math.round(minutes)} minutes`;
  return minutes < 4 * 1_440 ? `${Math.round(minutes / 60)} hours` : `${Math.round(minutes / 1_440)} days`;
}
