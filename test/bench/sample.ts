/** Everything that is measured, in the order of the report. */
export const contenders = [
  'sdk-backup',
  'bare-list',
  'backup',
  'sdk-restore-1',
  'sdk-restore-64',
  'bare-put',
  'restore',
  'dry-run',
] as const;

export type Contender = (typeof contenders)[number];

/** One measurement of one contender. */
export interface Sample {
  readonly contender: Contender;
  readonly devices: number;
  readonly latencyMs: number;
  /** Registrations listed, or PUTs written. */
  readonly count: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakBytes: number;
  /** What a backup left in storage. */
  readonly storedBytes?: number;
  /** Seconds by part of a run, by the run's own timestamps. */
  readonly parts?: Readonly<Record<string, number>>;
}
