import { z } from 'zod';

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

/** Those that are not the app. */
export const rivals = ['sdk-backup', 'bare-list', 'sdk-restore-1', 'sdk-restore-64', 'bare-put'] as const;

export type Contender = (typeof contenders)[number];

export const sampleSchema = z
  .object({
    contender: z.enum(contenders),
    devices: z.number(),
    latencyMs: z.number(),
    /** Registrations listed, or PUTs written. */
    count: z.number(),
    seconds: z.number(),
    cpuSeconds: z.number(),
    /** What the hub's server used meanwhile. */
    serverCpuSeconds: z.number(),
    peakBytes: z.number(),
    /** What a backup left in storage. */
    storedBytes: z.number().optional(),
    /** Seconds by part of a run, by the run's own timestamps. */
    parts: z.record(z.string(), z.number()).optional(),
    /** Installations whose rows the hub's server made while a listing of this restore waited. */
    lateCount: z.number().optional(),
  })
  .readonly();

/** One measurement of one contender. */
export type Sample = z.infer<typeof sampleSchema>;

/** The same before it is put to its case. */
export type Measured = Omit<Sample, 'devices' | 'latencyMs'>;
